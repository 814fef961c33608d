import { createHash } from 'node:crypto';
import { metadataText } from '../core/job-filter.ts';
import type { LedgerPatch, LedgerRecord } from './record.ts';

/** An index and the job's place in it; most are in the order of creation. */
export interface IndexPlace {
  readonly name: string;
  readonly score: number;
  /** Only where the workers have published that jobs are found by this key of their metadata. */
  readonly metadataKey?: string;
}

/** Names of the indexes of jobs, which are Redis keys after `jobs:`. */
export const INDEX_NAMES = {
  account: (account: string) => `account:${account}`,
  state: (state: string) => `state:${state}`,
  code: (code: string) => `code:${code}`,
  waitingFor: (reason: string) => `waiting:${reason}`,
  media: (type: string) => `media:${type}`,
  /** A digest, because a value may be long. */
  metadata: (key: string, value: string) =>
    `metadata:${createHash('sha256').update(`${key}=${value}`).digest('base64url').slice(0, 22)}`,
  /** In the order of these times. */
  ended: 'ended',
  scheduled: 'scheduled',
} as const;

/** Where a record belongs. The scripts of creation and change keep it so, step by step. */
export function indexPlaces(record: LedgerRecord): IndexPlace[] {
  const { createdAt: score, endedAt, scheduledAt, waitingFor, failure } = record;
  return [
    { name: INDEX_NAMES.account(record.account), score },
    { name: INDEX_NAMES.state(record.state), score },
    { name: INDEX_NAMES.media(record.request.media.type), score },
    ...(failure === undefined ? [] : [{ name: INDEX_NAMES.code(failure.code), score }]),
    ...(waitingFor === undefined ? [] : [{ name: INDEX_NAMES.waitingFor(waitingFor), score }]),
    ...(endedAt === undefined ? [] : [{ name: INDEX_NAMES.ended, score: endedAt }]),
    ...(scheduledAt === undefined ? [] : [{ name: INDEX_NAMES.scheduled, score: scheduledAt }]),
    ...metadataPlaces(record),
  ];
}

/** Those of its metadata, by any key. */
export function metadataPlaces({ request, createdAt: score }: Pick<LedgerRecord, 'request' | 'createdAt'>) {
  return Object.entries(request.metadata ?? {}).flatMap(([metadataKey, value]) => {
    const text = metadataText(value);
    return text === undefined ? [] : [{ name: INDEX_NAMES.metadata(metadataKey, text), score, metadataKey }];
  });
}

/** What a change sets of what a job is found by, for the script; '' where it clears it. */
export function placesIn(patch: LedgerPatch) {
  return {
    ...('waitingFor' in patch && { waitingFor: patch.waitingFor ?? '' }),
    ...('failure' in patch && { code: patch.failure?.code ?? '' }),
    ...('endedAt' in patch && { endedAt: String(patch.endedAt ?? '') }),
    ...('scheduledAt' in patch && { scheduledAt: String(patch.scheduledAt ?? '') }),
    ...(patch.postIds !== undefined && patch.postIds.length > 0 && { postIds: patch.postIds }),
  };
}
