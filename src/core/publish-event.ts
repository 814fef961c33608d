import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { parseStored } from './parse-stored.ts';
import type { PublishFailure } from './publish-job.ts';
import type { PublishMode } from './publish-request.ts';
import type { PublishState } from './publish-state.ts';

/** Types of completion events (CloudEvents `type`). */
export const PUBLISH_EVENT_TYPES = [
  'publish.queued',
  'publish.started',
  'publish.upload.completed',
  'publish.published',
  'publish.post_available',
  'publish.in_inbox',
  'publish.failed',
  'publish.cancelled',
  'publish.unconfirmed',
  'publish.no_longer_public',
  'account.connected',
  'account.paused',
  'account.reauthorization_required',
] as const;
/** What an event may report. */
export type PublishEventType = (typeof PUBLISH_EVENT_TYPES)[number];

/** States in which a job ends, and the event that reports each. */
export const END_EVENTS = {
  published: 'publish.published',
  in_inbox: 'publish.in_inbox',
  failed: 'publish.failed',
  cancelled: 'publish.cancelled',
  unconfirmed: 'publish.unconfirmed',
} as const satisfies Partial<Record<PublishState, PublishEventType>>;
export type EndState = keyof typeof END_EVENTS;

/** What a job was when its event happened. */
export interface JobEventData {
  /** Id of the job, at most 255 characters. */
  readonly id: string;
  /** The account's own name, at most 128 characters. */
  readonly account: string;
  /** Publish at once, or send a draft to the inbox. */
  readonly mode: PublishMode;
  /** The job's state with this event. */
  readonly state: PublishState;
  /** TikTok's id of the upload or pull; null before its init. */
  readonly publishId: string | null;
  /** Ids of the posts as exact decimal digits; often empty until `publish.post_available`. */
  readonly postIds: readonly string[];
  /** Addresses of these posts, in their order; empty while TikTok has not told the ids or the creator's name. */
  readonly postUrls: readonly string[];
  /** Why the job failed or is unconfirmed; null otherwise. */
  readonly failure: PublishFailure | null;
  /** `metadata` of the request, at most 2,048 bytes as JSON. */
  readonly metadata: Readonly<Record<string, unknown>> | null;
}

/** What happened to an account. */
export interface AccountEventData {
  /** The account's own name, at most 128 characters. */
  readonly account: string;
}

/** Why an account can't be used. */
interface ReauthorizationEventData extends AccountEventData {
  /** Why its owner must connect it again. */
  readonly reason: string;
}

/** The envelope of every event: CloudEvents 1.0. */
interface EventEnvelope<Type extends PublishEventType, Data> {
  /** Version of CloudEvents. */
  readonly specversion: '1.0';
  /** Stable and unique: an event that comes twice has the same id. */
  readonly id: string;
  /** Who reports: `urn:tiktok-publisher`. */
  readonly source: string;
  /** What happened; it tells what `data` holds. */
  readonly type: Type;
  /** The job's id, or the account's name for account events. */
  readonly subject: string;
  /** When it happened (ISO 8601, UTC). */
  readonly time: string;
  /** Media type of `data`. */
  readonly datacontenttype: 'application/json';
  /** What it was about, as it was then. */
  readonly data: Data;
}

type AccountEventType = Extract<PublishEventType, `account.${string}`>;
type JobEventType = Exclude<PublishEventType, AccountEventType>;
/** The end that an event reports, if it reports one. */
type StateOf<Type extends JobEventType> = {
  [S in EndState]: (typeof END_EVENTS)[S] extends Type ? S : never;
}[EndState];
/** What is certain of a job at an event of a type. */
type DataAt<Type extends JobEventType> = JobEventData &
  (Type extends (typeof END_EVENTS)[EndState] ? { readonly state: StateOf<Type> } : unknown) &
  (Type extends 'publish.failed' ? { readonly failure: PublishFailure } : unknown);

/** An event, by its type: after a look at `type`, `data` is what such an event holds. */
export type PublishEvent =
  | { [Type in JobEventType]: EventEnvelope<Type, DataAt<Type>> }[JobEventType]
  | EventEnvelope<'account.reauthorization_required', ReauthorizationEventData>
  | {
      [Type in Exclude<AccountEventType, 'account.reauthorization_required'>]: EventEnvelope<Type, AccountEventData>;
    }[Exclude<AccountEventType, 'account.reauthorization_required'>];

/** An entry of the events stream as Redis answers it. */
export type StreamEntry = readonly [id: string, fields: readonly string[]];

/** An event to be stored; `at` is in ms since the epoch. */
export interface EventContent {
  readonly id: string;
  readonly type: PublishEventType;
  readonly subject: string;
  readonly at: number;
  readonly data: JobEventData | AccountEventData | ReauthorizationEventData;
}

/**
 * Placeholder in an event's id for the revision, which only the Redis script that stores the event knows. The script
 * replaces its first occurrence. Random, so that no text in an event can equal it.
 */
export const UNKNOWN_PART = randomUUID().replaceAll('-', '');

/** An event as the JSON that is stored. The id comes first, before any text of others. */
export function encodeEvent({ id, type, subject, at, data }: EventContent): string {
  const event: EventEnvelope<PublishEventType, EventContent['data']> = {
    specversion: '1.0',
    id,
    source: 'urn:tiktok-publisher',
    type,
    subject,
    time: new Date(at).toISOString(),
    datacontenttype: 'application/json',
    data,
  };
  return JSON.stringify(event);
}

const envelopeSchema = z.looseObject({
  specversion: z.literal('1.0'),
  id: z.string(),
  source: z.string(),
  type: z.enum(PUBLISH_EVENT_TYPES),
  subject: z.string(),
  time: z.string(),
  datacontenttype: z.literal('application/json'),
  data: z.record(z.string(), z.unknown()),
});
/** Of `data`, another version may know more or less; an event is never left out for that. */
const publishEventSchema = z.custom<PublishEvent>((event) => envelopeSchema.safeParse(event).success);

/**
 * The event in an entry of one of our streams, whose fields are names and values in turn.
 * @returns undefined for what a newer version or somebody else put there
 */
export function decodeEvent(fields: readonly string[]): PublishEvent | undefined {
  return parseStored(publishEventSchema, fields[fields.indexOf('event') + 1] ?? '');
}

/** What an event is about: the job and its account, or the account alone. */
export function subjectsOf({ subject, data }: PublishEvent): string[] {
  return typeof data.account === 'string' ? [subject, data.account] : [subject];
}
