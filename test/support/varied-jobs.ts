import type { JobFilter } from '../../src/core/job-filter.ts';
import { PublishError } from '../../src/core/publish-error.ts';
import type { PublishRequest } from '../../src/core/publish-request.ts';
import { endChange, NOT_WAITING, newRecord } from '../../src/ledger/change.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import type { LedgerRecord } from '../../src/ledger/record.ts';

type MediaType = PublishRequest['media']['type'];

/** Picks at random. */
export type Pick = <T>(values: readonly [T, ...T[]]) => T;

/** The clock of made jobs: a second or none passes between two of them. */
export interface MadeTime {
  now: number;
}

const MEDIA: Readonly<Record<MediaType, PublishRequest['media']>> = {
  file: { type: 'file', path: '/a.mp4' },
  url: { type: 'url', url: 'https://media.example.com/a.mp4' },
  s3: { type: 's3', bucket: 'videos', key: 'a.mp4' },
  pull: { type: 'pull', url: 'https://media.example.com/a.mp4' },
  photos: { type: 'photos', urls: ['https://media.example.com/a.jpg'] },
};

const ACCOUNTS = ['acme', 'bistro', 'cafe'] as const;
const CODES = ['INPUT_MEDIA_NOT_FOUND', 'TIKTOK_DAILY_POST_CAP'] as const;
const CAMPAIGNS = ['spring', 'autumn', 'winter'] as const;
const START = Date.parse('2026-12-01T10:00:00Z');

/** Makes jobs of all kinds, and lets each go some way. */
export async function makeJobs(count: number, ledger: Ledger, time: MadeTime, pick: Pick): Promise<LedgerRecord[]> {
  time.now = START;
  const records: LedgerRecord[] = [];
  for (let number = 0; number < count; number += 1) {
    time.now += pick([0, 1_000]);
    const isLater = pick([true, false, false, false, false, false]);
    const request: PublishRequest = {
      account: pick(ACCOUNTS),
      mode: 'direct',
      media: MEDIA[pick<MediaType>(['file', 'file', 'url', 's3', 'pull', 'photos'])],
      post: { privacyLevel: 'SELF_ONLY' },
      ...(isLater && { scheduledAt: new Date(time.now + 3_600_000).toISOString() }),
      ...(pick([true, false]) && {
        metadata: { campaign: pick(CAMPAIGNS), order: pick([7, 8.5]), rush: pick([true, false]), tags: ['a'] },
      }),
    };
    const made = newRecord({ id: `job-${number}`, request, now: time.now, idempotencyKey: `key-${number}` });
    const { id } = await ledger.create(made, { event: 'queued' });
    records.push(await goSomeWay(id, number, ledger, time, pick));
  }
  return records;
}

async function goSomeWay(
  id: string,
  number: number,
  ledger: Ledger,
  time: MadeTime,
  pick: Pick,
): Promise<LedgerRecord> {
  const record = await ledger.read(id);
  if (record === undefined) throw new Error(`no record of ${id}`);
  const way = pick(['stay', 'stay', 'wait', 'fail', 'retry', 'publish', 'cancel']);
  if (record.state === 'scheduled' || way === 'stay') return record;
  if (way === 'cancel') return await ledger.intervene(record, endChange(record, { to: 'cancelled' }, time.now));
  if (way === 'wait') {
    return await ledger.intervene(record, {
      cause: { event: 'deferred', waitingFor: 'rate_limit', until: new Date(time.now + 60_000).toISOString() },
      patch: { waitingFor: 'rate_limit', waitingUntil: time.now + 60_000 },
    });
  }
  const begun = await ledger.intervene(record, {
    to: 'uploading',
    cause: { event: 'init_sent', source: 'file_upload' },
    patch: { ...NOT_WAITING, session: { kind: 'upload', publishId: `p-${number}` } },
  });
  if (way === 'publish') {
    const processing = await ledger.intervene(begun, {
      to: 'processing',
      cause: { event: 'upload_completed', totalBytes: 1 },
    });
    const end = { to: 'published', postIds: [`75000000000000${number}`] } as const;
    return await ledger.intervene(processing, endChange(processing, end, time.now));
  }
  const error = new PublishError(pick(CODES));
  const failed = await ledger.intervene(begun, endChange(begun, { to: 'failed', error }, time.now));
  if (way === 'fail') return failed;
  return await ledger.intervene(failed, {
    to: 'queued',
    cause: { event: 'retry_requested', action: 'fresh_init', forced: false },
    patch: { failure: undefined, endedAt: undefined },
  });
}

/** A filter of one to three conditions. */
export function anyFilter(pick: Pick): JobFilter {
  const at = () => new Date(START + pick([0, 10_000, 30_000, 60_000, 3_630_000])).toISOString();
  const condition = (): JobFilter =>
    pick<() => JobFilter>([
      () => ({ account: pick([...ACCOUNTS, 'nobody']) }),
      () => ({ state: pick<JobFilter['state']>([['failed', 'unconfirmed'], 'queued', 'published', ['scheduled']]) }),
      () => ({ code: pick(CODES) }),
      () => ({
        waitingFor: pick<JobFilter['waitingFor']>(['turn', 'rate_limit', 'account_paused', ['turn', 'rate_limit']]),
      }),
      () => ({ media: pick<JobFilter['media']>(['photos', ['file', 'url']]) }),
      () => ({ createdFrom: at() }),
      () => ({ createdBefore: at() }),
      () => ({ endedFrom: at(), endedBefore: at() }),
      () => ({ endedBefore: at() }),
      () => ({ scheduledFrom: at() }),
      () => ({
        metadata: pick<JobFilter['metadata']>([
          { campaign: 'spring' },
          { order: '7', campaign: 'autumn' },
          { rush: 'true' },
        ]),
      }),
      () => ({ publishId: `p-${pick([3, 5, 8])}` }),
      () => ({ postId: `75000000000000${pick([3, 5, 8, 9])}` }),
      () => ({ idempotencyKey: `key-${pick([3, 5])}` }),
    ])();
  return { ...condition(), ...pick<JobFilter>([{}, condition()]), ...pick<JobFilter>([{}, condition()]) };
}
