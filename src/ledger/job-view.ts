import { postUrlsOf } from '../core/post-url.ts';
import { type EventContent, type PublishEventType, UNKNOWN_PART } from '../core/publish-event.ts';
import type { PublishJob, TimelineEntry } from '../core/publish-job.ts';
import { withoutSecrets } from '../core/request-secrets.ts';
import { publishIdOf } from '../core/session.ts';
import type { LaneMember } from '../limits/lanes.ts';
import type { LedgerRecord } from './record.ts';

/** A ledger record as the library, REST and the command line show it: no sealed value, no fence. */
export function toPublishJob(record: LedgerRecord, timeline: readonly TimelineEntry[]): PublishJob {
  return {
    id: record.id,
    account: record.account,
    mode: record.mode,
    state: record.state,
    waitingFor: record.waitingFor ?? null,
    waitingUntil: toIso(record.waitingUntil),
    createdAt: new Date(record.createdAt).toISOString(),
    updatedAt: new Date(record.updatedAt).toISOString(),
    scheduledAt: toIso(record.scheduledAt),
    endedAt: toIso(record.endedAt),
    publishId: publishIdOf(record.session) ?? null,
    postIds: record.postIds,
    postUrls: postUrlsOf(record),
    progress: {
      totalBytes: record.totalBytes,
      sentBytes: Math.max(record.sentBytes, record.acceptedBytes),
      acceptedBytes: record.acceptedBytes,
    },
    attempts: record.attempts,
    failure: record.failure ?? null,
    request: withoutSecrets(record.request),
    idempotencyKey: record.idempotencyKey ?? null,
    metadata: record.request.metadata ?? null,
    timeline,
  };
}

/** A ledger record as its event shows it; without its revision, the ledger's script puts that into the event's id. */
export function jobEvent(type: PublishEventType, record: LedgerRecord, revision = UNKNOWN_PART): EventContent {
  return {
    id: `${record.id}-${revision}-1`,
    type,
    subject: record.id,
    at: record.updatedAt,
    data: {
      id: record.id,
      account: record.account,
      mode: record.mode,
      state: record.state,
      publishId: publishIdOf(record.session) ?? null,
      postIds: record.postIds,
      postUrls: postUrlsOf(record),
      failure: record.failure ?? null,
      metadata: record.request.metadata ?? null,
    },
  };
}

function toIso(instant: number | undefined): string | null {
  return instant === undefined ? null : new Date(instant).toISOString();
}

/** How late a scheduled job is at a time (ms); undefined for others, and for one that a person has retried. */
export function latenessMs(
  { createdAt, scheduledAt, retriedAt }: Pick<LedgerRecord, 'createdAt' | 'scheduledAt' | 'retriedAt'>,
  at: number,
): number | undefined {
  return scheduledAt === undefined || retriedAt !== undefined ? undefined : at - Math.max(createdAt, scheduledAt);
}

/** A job as its lane sees it: a scheduled one is as old as its due time. */
export function laneMemberOf({ id, account, request, createdAt, scheduledAt }: LedgerRecord): LaneMember {
  return { id, account, priority: request.priority ?? 0, since: Math.max(createdAt, scheduledAt ?? 0) };
}
