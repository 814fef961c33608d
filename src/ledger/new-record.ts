import type { PublishRequest } from '../core/publish-request.ts';
import { digestRequest, sha256Hex } from '../core/request-digest.ts';
import type { LedgerRecord } from './record.ts';

/** What a new publish job starts from. */
export interface NewJob {
  readonly id: string;
  readonly request: PublishRequest;
  /** The request as it may be stored, its secrets sealed; the request itself if it holds none. */
  readonly stored?: PublishRequest | undefined;
  /** The account's own name, should the request go by its open_id. */
  readonly account?: string | undefined;
  readonly now: number;
  readonly idempotencyKey?: string | undefined;
}

/** The first record of a publish job: `scheduled` if its time is to come, else `queued`. */
export function newRecord(job: NewJob): LedgerRecord {
  const { id, request, stored = request, account = request.account, now, idempotencyKey } = job;
  const scheduledAt = request.scheduledAt === undefined ? undefined : Date.parse(request.scheduledAt);
  return {
    id,
    account,
    mode: request.mode,
    request: stored,
    requestDigest: digestRequest(request),
    createdAt: now,
    updatedAt: now,
    scheduledAt,
    idempotencyDigest: idempotencyKey === undefined ? undefined : sha256Hex(idempotencyKey),
    state: scheduledAt !== undefined && scheduledAt > now ? 'scheduled' : 'queued',
    revision: 1,
    fence: 0,
    initCount: 0,
    pollCount: 0,
    totalBytes: 0,
    chunkSizeBytes: 0,
    sentBytes: 0,
    acceptedBytes: 0,
    attempts: 0,
    postIds: [],
  };
}
