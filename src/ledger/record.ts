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
  /**
   * SHA-256 of the request as it came, to tell a repeated request from another one under the same key or id; undefined where
   * it can come by neither.
   */
  readonly requestDigest?: string | undefined;
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
  /** The creator's name in the URL of the post, as TikTok last said before an init. */
  readonly username?: string | undefined;
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
  /** When TikTok reported that the post is no longer public. */
  readonly noLongerPublicAt?: number | undefined;

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
 * Decodes what a script read from the hash. What all new records have in common, and what the request repeats, need not be
 * in it.
 * @param flat field, value, field, value …
 * @throws PublishError `INTERNAL_ERROR` when the hash is not a record of ours
 */
export function decodeRecord(id: string, flat: readonly unknown[]): LedgerRecord {
  const hash = new Map<string, string>();
  for (let i = 0; i + 1 < flat.length; i += 2) hash.set(String(flat[i]), String(flat[i + 1]));
  const state = parsePublishState(required(hash, 'state'));
  const mode = required(hash, 'mode');
  if (state === undefined || (mode !== 'direct' && mode !== 'inbox')) throw damaged('state');
  const account = required(hash, 'account');
  const request = parsePublishRequest({ account, mode, ...JSON.parse(required(hash, 'request')) });
  const createdAt = Number(required(hash, 'createdAt'));
  const optional = decodeOptional(hash);
  return {
    ...{ id, account, mode, request, createdAt, state },
    session: decodeSession(hash, isFetchedByTikTok(mediaInUse({ request, fellBackAt: optional.fellBackAt }))),
    requestDigest: hash.get('requestDigest'),
    revision: Number(required(hash, 'revision')),
    fence: Number(required(hash, 'fence')),
    updatedAt: numberOf(hash, 'updatedAt') ?? createdAt,
    initCount: numberOf(hash, 'initCount') ?? 0,
    pollCount: numberOf(hash, 'pollCount') ?? 0,
    totalBytes: numberOf(hash, 'totalBytes') ?? 0,
    chunkSizeBytes: numberOf(hash, 'chunkSizeBytes') ?? 0,
    sentBytes: numberOf(hash, 'sentBytes') ?? 0,
    acceptedBytes: numberOf(hash, 'acceptedBytes') ?? 0,
    attempts: numberOf(hash, 'attempts') ?? 0,
    postIds: parseDigits(JSON.parse(hash.get('postIds') ?? '[]')),
    ...optional,
  };
}

function decodeSession(hash: ReadonlyMap<string, string>, isFetched: boolean): Session {
  const publishId = hash.get('publishId');
  if (publishId === undefined) {
    const intendedAt = numberOf(hash, 'initIntendedAt');
    return intendedAt === undefined ? { kind: 'none' } : { kind: 'init_sent', intendedAt };
  }
  const failedAt = numberOf(hash, 'failedByTikTokAt');
  if (failedAt !== undefined) return { kind: 'failed', publishId, failedAt };
  if (isFetched) return { kind: 'fetch', publishId };
  return {
    kind: 'upload',
    publishId,
    urlSealed: hash.get('uploadUrlSealed'),
    urlExpiresAt: numberOf(hash, 'uploadExpiresAt'),
    lastChunkStartedAt: numberOf(hash, 'lastChunkStartedAt'),
  };
}

// Not closures of the functions above: V8 would optimise those of each record again.
function numberOf(hash: ReadonlyMap<string, string>, field: string): number | undefined {
  const value = hash.get(field);
  return value === undefined ? undefined : Number(value);
}

function parsedOf<T>(hash: ReadonlyMap<string, string>, field: string, schema: z.ZodType<T>): T | undefined {
  const value = hash.get(field);
  if (value === undefined) return undefined;
  const parsed = schema.safeParse(JSON.parse(value));
  if (!parsed.success) throw damaged(field);
  return parsed.data;
}

function decodeOptional(hash: ReadonlyMap<string, string>): Partial<LedgerRecord> {
  return {
    stateSince: numberOf(hash, 'stateSince'),
    scheduledAt: numberOf(hash, 'scheduledAt'),
    retriedAt: numberOf(hash, 'retriedAt'),
    changedAt: numberOf(hash, 'changedAt'),
    idempotencyDigest: hash.get('idempotencyDigest'),
    idempotencyKey: hash.get('idempotencyKey'),
    waitingFor: parseWaitReason(hash.get('waitingFor')),
    waitingUntil: numberOf(hash, 'waitingUntil'),
    bookedSlot: parsedOf(hash, 'bookedSlot', bookedSlotSchema),
    cancelRequestedAt: numberOf(hash, 'cancelRequestedAt'),
    cancelAskedAt: numberOf(hash, 'cancelAskedAt'),
    restartedFor: parsedOf(hash, 'restartedFor', codesSchema),
    processingSince: numberOf(hash, 'processingSince'),
    pullBytes: numberOf(hash, 'pullBytes'),
    pullProgressAt: numberOf(hash, 'pullProgressAt'),
    pullStalledAt: numberOf(hash, 'pullStalledAt'),
    fellBackAt: numberOf(hash, 'fellBackAt'),
    nextPollAt: numberOf(hash, 'nextPollAt'),
    toldAt: numberOf(hash, 'toldAt'),
    username: hash.get('username'),
    noLongerPublicAt: numberOf(hash, 'noLongerPublicAt'),
    pin: parsedOf(hash, 'pin', pinSchema),
    claimedVideo: parsedOf(hash, 'claimedVideo', claimedVideoSchema),
    examined: parsedOf(hash, 'examined', examinedSchema),
    acceptedCrc32: numberOf(hash, 'acceptedCrc32'),
    failure: parsedOf(hash, 'failure', failureSchema),
    gaveUpFor: parsedOf(hash, 'gaveUpFor', failureSchema),
    endedAt: numberOf(hash, 'endedAt'),
    recheckCount: numberOf(hash, 'recheckCount'),
  };
}

const bookedSlotSchema = z.object({ endpoint: z.string(), at: z.number() });
const codesSchema = z.array(z.string());
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
