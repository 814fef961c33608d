import { z } from 'zod';
import { type ErrorCode, isErrorCode } from '../core/error-table.ts';
import { type MediaFacts, mediaFactsSchema } from '../core/media-facts.ts';
import { isFetchedByTikTok, mediaInUse } from '../core/media-route.ts';
import type { SourcePin } from '../core/ports.ts';
import { PublishError } from '../core/publish-error.ts';
import type { PublishFailure } from '../core/publish-job.ts';
import { type PublishMode, type PublishRequest, parsePublishRequest } from '../core/publish-request.ts';
import { type PublishState, parsePublishState, parseWaitReason, type WaitReason } from '../core/publish-state.ts';
import type { Session } from '../core/session.ts';

/** The truth about one publish job. Instants are ms since the epoch, sizes bytes. */
export interface LedgerRecord {
  readonly id: string;
  readonly account: string;
  readonly mode: PublishMode;
  readonly request: PublishRequest;
  /** SHA-256 of the request, to tell a repeated request from another one under the same key. */
  readonly requestDigest: string;
  readonly createdAt: number;
  readonly scheduledAt?: number | undefined;
  /** Key (digest) under which an idempotency entry points here. */
  readonly idempotencyDigest?: string | undefined;
  /** The key itself, for people; not one that may hold a secret. */
  readonly idempotencyKey?: string | undefined;

  readonly state: PublishState;
  /** Since when, by Redis's clock; written by the ledger's scripts. */
  readonly stateSince?: number | undefined;
  readonly revision: number;
  /** Another number with every owner; a change by an overtaken owner is refused. */
  readonly fence: number;
  readonly updatedAt: number;
  readonly waitingFor?: WaitReason | undefined;
  readonly waitingUntil?: number | undefined;
  readonly bookedSlot?: { readonly endpoint: string; readonly at: number } | undefined;
  /** Somebody wants the job cancelled, which only TikTok can do by now. */
  readonly cancelRequestedAt?: number | undefined;
  /** TikTok was asked for that, whatever it said. */
  readonly cancelAskedAt?: number | undefined;

  readonly session: Session;
  readonly initCount: number;
  /** Codes of the errors for which a new publish_id replaced a dead one since a person last retried it. */
  readonly restartedFor?: readonly string[] | undefined;
  readonly processingSince?: number | undefined;
  /** Bytes that TikTok had downloaded, as it last said, and since when it says so. */
  readonly pullBytes?: number | undefined;
  readonly pullProgressAt?: number | undefined;
  /** When TikTok's download was found stalled and had to be stopped. */
  readonly pullStalledAt?: number | undefined;
  /** TikTok's download was provably dead: from here on we fetch the video and upload it. */
  readonly fellBackAt?: number | undefined;
  /** The video as it was claimed for this job, so that it is looked at once; without pin where TikTok fetches it. */
  readonly claimedVideo?: { readonly digest: string; readonly pin?: SourcePin | undefined } | undefined;
  readonly pollCount: number;
  /** When it is polled first; later polls are planned in the queue alone. */
  readonly nextPollAt?: number | undefined;
  /** When a TikTok webhook last reported something about the job. */
  readonly toldAt?: number | undefined;

  readonly totalBytes: number;
  readonly chunkSizeBytes: number;
  readonly sentBytes: number;
  readonly acceptedBytes: number;
  readonly pin?: SourcePin | undefined;
  /** What the probe of the video found, and for which bytes; repeated only when they change. */
  readonly examined?: { readonly pin: SourcePin; readonly facts: MediaFacts } | undefined;
  /** CRC-32 of the accepted bytes, so that a resumed upload continues the very same video. */
  readonly acceptedCrc32?: number | undefined;

  readonly attempts: number;
  /** When a person last retried it; the wait limit is measured from here. */
  readonly retriedAt?: number | undefined;
  /** When its request was last changed. */
  readonly changedAt?: number | undefined;
  readonly failure?: PublishFailure | undefined;
  /** Why we gave the job up while TikTok may have had it all: its failure, should TikTok not publish it. */
  readonly gaveUpFor?: PublishFailure | undefined;
  readonly postIds: readonly string[];
  readonly endedAt?: number | undefined;
  /** How often the job was looked at after its end. */
  readonly recheckCount?: number | undefined;
}

/** What a change may set; `undefined` clears a field. */
export type LedgerPatch = Partial<
  Omit<LedgerRecord, 'id' | 'state' | 'stateSince' | 'revision' | 'fence' | 'updatedAt' | 'createdAt' | 'requestDigest'>
>;

/** Progress between changes: written often, so without history. */
export type LedgerProgress = Partial<
  Pick<
    LedgerRecord,
    | 'claimedVideo'
    | 'pullBytes'
    | 'pullProgressAt'
    | 'sentBytes'
    | 'acceptedBytes'
    | 'acceptedCrc32'
    | 'attempts'
    | 'pollCount'
    | 'recheckCount'
  >
>;

/**
 * Decodes what a script read from the hash.
 * @param flat field, value, field, value …
 * @throws PublishError `INTERNAL_ERROR` when the hash is not a record of ours
 */
export function decodeRecord(flat: readonly unknown[]): LedgerRecord {
  const hash = new Map<string, string>();
  for (let i = 0; i + 1 < flat.length; i += 2) hash.set(String(flat[i]), String(flat[i + 1]));
  const text = (field: keyof LedgerRecord): string => required(hash, field);
  const number = (field: keyof LedgerRecord): number => Number(required(hash, field));
  const state = parsePublishState(text('state'));
  const mode = text('mode');
  if (state === undefined || (mode !== 'direct' && mode !== 'inbox')) throw damaged('state');
  const request = parsePublishRequest(JSON.parse(text('request')));
  const optional = decodeOptional(hash);
  return {
    id: text('id'),
    account: text('account'),
    mode,
    request,
    session: decodeSession(hash, isFetchedByTikTok(mediaInUse({ request, fellBackAt: optional.fellBackAt }))),
    requestDigest: text('requestDigest'),
    createdAt: number('createdAt'),
    state,
    revision: number('revision'),
    fence: number('fence'),
    updatedAt: number('updatedAt'),
    initCount: number('initCount'),
    pollCount: number('pollCount'),
    totalBytes: number('totalBytes'),
    chunkSizeBytes: number('chunkSizeBytes'),
    sentBytes: number('sentBytes'),
    acceptedBytes: number('acceptedBytes'),
    attempts: number('attempts'),
    postIds: parseDigits(JSON.parse(text('postIds'))),
    ...optional,
  };
}

function decodeSession(hash: ReadonlyMap<string, string>, isFetched: boolean): Session {
  const number = (field: string): number | undefined => numberOf(hash, field);
  const publishId = hash.get('publishId');
  if (publishId === undefined) {
    const intendedAt = number('initIntendedAt');
    return intendedAt === undefined ? { kind: 'none' } : { kind: 'init_sent', intendedAt };
  }
  const failedAt = number('failedByTikTokAt');
  if (failedAt !== undefined) return { kind: 'failed', publishId, failedAt };
  if (isFetched) return { kind: 'fetch', publishId };
  return {
    kind: 'upload',
    publishId,
    urlSealed: hash.get('uploadUrlSealed'),
    urlExpiresAt: number('uploadExpiresAt'),
    lastChunkStartedAt: number('lastChunkStartedAt'),
  };
}

function numberOf(hash: ReadonlyMap<string, string>, field: string): number | undefined {
  const value = hash.get(field);
  return value === undefined ? undefined : Number(value);
}

function decodeOptional(hash: ReadonlyMap<string, string>): Partial<LedgerRecord> {
  const text = (field: keyof LedgerRecord): string | undefined => hash.get(field);
  const number = (field: keyof LedgerRecord): number | undefined => numberOf(hash, field);
  const json = <T>(field: keyof LedgerRecord, schema: z.ZodType<T>): T | undefined => {
    const value = hash.get(field);
    if (value === undefined) return undefined;
    const parsed = schema.safeParse(JSON.parse(value));
    if (!parsed.success) throw damaged(field);
    return parsed.data;
  };
  return {
    stateSince: number('stateSince'),
    scheduledAt: number('scheduledAt'),
    retriedAt: number('retriedAt'),
    changedAt: number('changedAt'),
    idempotencyDigest: text('idempotencyDigest'),
    idempotencyKey: text('idempotencyKey'),
    waitingFor: parseWaitReason(text('waitingFor')),
    waitingUntil: number('waitingUntil'),
    bookedSlot: json('bookedSlot', bookedSlotSchema),
    cancelRequestedAt: number('cancelRequestedAt'),
    cancelAskedAt: number('cancelAskedAt'),
    restartedFor: json('restartedFor', z.array(z.string())),
    processingSince: number('processingSince'),
    pullBytes: number('pullBytes'),
    pullProgressAt: number('pullProgressAt'),
    pullStalledAt: number('pullStalledAt'),
    fellBackAt: number('fellBackAt'),
    nextPollAt: number('nextPollAt'),
    toldAt: number('toldAt'),
    pin: json('pin', pinSchema),
    claimedVideo: json('claimedVideo', claimedVideoSchema),
    examined: json('examined', examinedSchema),
    acceptedCrc32: number('acceptedCrc32'),
    failure: json('failure', failureSchema),
    gaveUpFor: json('gaveUpFor', failureSchema),
    endedAt: number('endedAt'),
    recheckCount: number('recheckCount'),
  };
}

const bookedSlotSchema = z.object({ endpoint: z.string(), at: z.number() });
const pinSchema = z.object({ sizeBytes: z.number(), version: z.string() });
const claimedVideoSchema = z.object({ digest: z.string(), pin: pinSchema.optional() });
/** What another version examined, and noted in another way, is examined again. */
const examinedSchema = z.object({ pin: pinSchema, facts: mediaFactsSchema }).optional().catch(undefined);
const failureSchema: z.ZodType<PublishFailure> = z.object({
  // A code that only a newer version has: the message still says what happened.
  code: z.custom<ErrorCode>((code) => typeof code === 'string' && isErrorCode(code)).catch('INTERNAL_ERROR'),
  message: z.string(),
  advice: z.string(),
  retryable: z.boolean(),
  tiktokCode: z.string().exactOptional(),
  tiktokLogId: z.string().exactOptional(),
});

function required(hash: ReadonlyMap<string, string>, field: string): string {
  const value = hash.get(field);
  if (value === undefined) throw damaged(field);
  return value;
}

function damaged(field: string): PublishError {
  return new PublishError('INTERNAL_ERROR', { reason: `the ledger record has no valid ${field}` });
}

function parseDigits(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
