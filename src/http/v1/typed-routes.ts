import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import type { FastifyBaseLogger, FastifyInstance, FastifyTypeProvider, RawServerDefault } from 'fastify';
import type { z } from 'zod';
import type { Deliveries } from '../../callbacks/deliveries.ts';
import type { Subscriptions } from '../../callbacks/subscriptions.ts';
import type { FactReport } from '../../core/learned-facts.ts';
import type { StatisticsRange, TimedStatistics } from '../../core/publish-statistics.ts';
import type { ApiKeys } from '../access/api-keys.ts';
import type { AuditTrail } from '../access/audit-trail.ts';
import type { CallersPublisher } from '../access/publisher-as.ts';

/** What may be sent where a schema says `T`: read-only will do. */
type Sent<T> = T extends Readable
  ? T
  : T extends readonly (infer Item)[]
    ? readonly Sent<Item>[]
    : T extends object
      ? { readonly [Field in keyof T]: Sent<T[Field]> }
      : T;

/** Derives the types of requests and answers from zod schemas. */
export interface ApiTypes extends FastifyTypeProvider {
  validator: this['schema'] extends z.ZodType ? z.output<this['schema']> : unknown;
  // Fastify hands in the schema for what a handler returns, and the whole answer for what `reply.code().send()` is
  // given.
  serializer: this['schema'] extends z.ZodType
    ? Sent<z.output<this['schema']>>
    : this['schema'] extends { content: { 'application/json': { schema: infer Schema extends z.ZodType } } }
      ? Sent<z.output<Schema>>
      : never;
}

/** The part of the server in which routes are typed by their schemas. */
export type ApiScope = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse, FastifyBaseLogger, ApiTypes>;

export interface ApiOptions {
  /** Bearer keys; without any the API is served to this machine only. */
  readonly apiKeys: readonly string[];
  /** Requests that one caller may make in a minute, as counted by this process. */
  readonly requestsPerMinute: number;
  /** Event streams that this process holds open at the same time, in all and for one caller. */
  readonly maxEventStreams: number;
  readonly maxEventStreamsPerKey: number;
  readonly publisher: CallersPublisher;
  /** Keys that were made at run time. */
  readonly keys: ApiKeys;
  readonly audit: AuditTrail;
  readonly callbacks: Deliveries;
  readonly subscriptions: Pick<Subscriptions, 'create' | 'list' | 'remove'>;
  /** How many publish jobs ended lately. */
  readonly statistics: { read(range: StatisticsRange): Promise<readonly TimedStatistics[]> };
  /** What was learned from TikTok's answers, oldest first. */
  readonly facts: () => Promise<FactReport[]>;
  /**
   * Refuses files that callers over the network may not have published. The worker looks again.
   * @throws PublishError `INPUT_MEDIA_OUTSIDE_ROOTS`
   */
  readonly refuseFile: (path: string) => Promise<void>;
  readonly version: string;
}
