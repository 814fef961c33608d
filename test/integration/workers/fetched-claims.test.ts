import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, expect, it, onTestFinished } from 'vitest';
import type { PublishRequest } from '../../../src/core/publish-request.ts';
import type { Settlement } from '../../../src/core/settlement.ts';
import { newRecord } from '../../../src/ledger/change.ts';
import type { Run } from '../../../src/ledger/claim.ts';
import { createLedger, type Ledger } from '../../../src/ledger/ledger.ts';
import { createQueues, type Queues } from '../../../src/ledger/queues/queues.ts';
import { closeRedis, connectRedis } from '../../../src/redis/connections.ts';
import { createKeys, type Keys } from '../../../src/redis/keys.ts';
import type { RedisClient } from '../../../src/redis/lua-script.ts';
import { startQueueWorker } from '../../../src/workers/runtime/queue-worker.ts';
import { DEFAULT_RECOVERY } from '../../../src/workers/runtime/recovery.ts';
import { eventually } from '../../support/eventually.ts';
import { freshPrefix, testRedisUrl } from '../../support/redis.ts';

const QUEUE = 'tiktok-publish';
const request: PublishRequest = {
  account: 'acme',
  mode: 'direct',
  media: { type: 'file', path: '/a.mp4' },
  post: { privacyLevel: 'SELF_ONLY' },
};
const DONE: Settlement = { kind: 'done', result: { id: 'done' } };

let redis: RedisClient;
let keys: Keys;
let ledger: Ledger;
let queues: Queues;

beforeAll(async () => {
  redis = await connectRedis({ kind: 'url', url: testRedisUrl() }, 'worker');
});
afterAll(() => closeRedis(redis));
beforeEach(() => {
  keys = createKeys(freshPrefix());
  ledger = createLedger({ redis, keys, clock: Date });
  queues = createQueues({ connection: redis, prefix: keys.prefix });
  onTestFinished(() => queues.close());
});

async function enqueue(id: string): Promise<void> {
  await ledger.create(newRecord({ id, request, now: Date.now() }), { event: 'queued' });
  await queues.addPublishEntries([{ id, account: request.account, priority: 0, delayMs: 0 }]);
}

/** Runs the entries of a queue one after the other. */
function work(run: (id: string, takeFetched: NonNullable<Run['takeFetched']>, start: number) => Promise<Settlement>) {
  const worker = startQueueWorker(
    {
      ...{ queue: QUEUE, concurrency: 1, claims: ledger.claimsOf(QUEUE), stepOf: () => 'publish' },
      run: async (job, _signal, takeFetched = () => undefined) =>
        await run(job.id ?? '', takeFetched, job.attemptsStarted),
    },
    redis,
    {
      ...{ prefix: keys.prefix, telemetry: undefined, log: pino({ level: 'silent' }) },
      settings: { recovery: DEFAULT_RECOVERY, retentionMs: 60_000 },
      measureStep: (_step, process) => process(),
    },
  );
  onTestFinished(() => worker.close());
}

it('a job is claimed as its entry is fetched: first, after the end of another, and after it was put off', async () => {
  for (const id of ['a', 'b']) await enqueue(id);
  const seen: [string, number][] = [];
  const fences: number[] = [];
  work(async (id, takeFetched, start) => {
    const claim = takeFetched(id);
    if (claim?.kind !== 'claimed') throw new Error(`the claim of ${id} was ${claim?.kind}`);
    seen.push([id, start]);
    fences.push(claim.record.fence);
    // It is the owner's by now, so that a commit goes through.
    await ledger.commit(claim.record, { cause: { event: 'reservation_used', endpoint: 'direct_init' } });
    return start === 1 ? { kind: 'later', at: 0 } : DONE;
  });
  await eventually(() => seen.length === 4);
  expect(seen.toSorted()).toEqual([
    ['a', 1],
    ['a', 2],
    ['b', 1],
    ['b', 2],
  ]);
  expect(new Set(fences).size).toBe(4);
});

it('a claim that was made with the fetch serves once, and no other job', async () => {
  await enqueue('a');
  const taken: unknown[] = [];
  work(async (id, takeFetched) => {
    taken.push(takeFetched('b')?.kind, takeFetched(id)?.kind, takeFetched(id)?.kind);
    return DONE;
  });
  await eventually(() => taken.length === 3);
  expect(taken).toEqual([undefined, 'claimed', undefined]);
});

it('an entry is fetched all the same whose record is not there, or is none', async () => {
  await queues.addPublishEntries([{ id: 'lost', account: 'acme', priority: 0, delayMs: 0 }]);
  await redis.set(keys.job('damaged'), 'no hash');
  await queues.addPublishEntries([{ id: 'damaged', account: 'acme', priority: 0, delayMs: 0 }]);
  const kinds = new Map<string, string | undefined>();
  work(async (id, takeFetched) => {
    kinds.set(id, takeFetched(id)?.kind);
    return DONE;
  });
  await eventually(() => kinds.size === 2);
  expect([...kinds]).toEqual([
    ['lost', 'missing'],
    ['damaged', undefined],
  ]);
});

it('the entry that a job gets with the change of its record is the one that BullMQ adds', async () => {
  await enqueue('a');
  const claim = await ledger.claim('a', { entry: 'q:1', start: 1 });
  if (claim.kind !== 'claimed') throw new Error('the job is there');
  const script = await queues.entryScript('status');
  if (script === undefined) throw new Error('this BullMQ has no such scripts');
  const change = { cause: { event: 'upload_completed', totalBytes: 1 } } as const;
  const { isEntered } = await ledger.commitAndLeave(claim.record, change, { script, delayMs: 60_000 });
  expect(isEntered).toBe(true);
  const entryIn = async (prefix: string) => {
    const { timestamp, ...entry } = await redis.hgetall(`${prefix}:tiktok-status:a`);
    const delayed = await redis.zrange(`${prefix}:tiktok-status:delayed`, '0', '-1');
    const events = await redis.xrange(`${prefix}:tiktok-status:events`, '-', '+');
    const { opts = '{}', ...fields } = entry;
    const { delay } = JSON.parse(opts) as { delay?: number };
    return {
      ...fields,
      delayOption: delay,
      hasTime: Number(timestamp) > 0,
      delayed,
      events: events.length,
    };
  };
  const other = createQueues({ connection: redis, prefix: freshPrefix() });
  onTestFinished(() => other.close());
  await other.addStatusEntry({ version: 1, id: 'a', account: 'acme' }, 60_000);
  expect(await entryIn(keys.prefix)).toEqual(await entryIn(other.status.opts.prefix ?? ''));
});

it('a record changes although the queue is damaged that its entry is to come to', async () => {
  await enqueue('a');
  const claim = await ledger.claim('a', { entry: 'q:1', start: 1 });
  if (claim.kind !== 'claimed') throw new Error('the job is there');
  const script = await queues.entryScript('status');
  if (script === undefined) throw new Error('this BullMQ has no such scripts');
  await redis.set(`${keys.prefix}:tiktok-status:delayed`, 'no sorted set');
  const change = { cause: { event: 'upload_completed', totalBytes: 1 } } as const;
  const { record, isEntered } = await ledger.commitAndLeave(claim.record, change, { script, delayMs: 60_000 });
  expect([record.revision, isEntered]).toEqual([2, false]);
});
