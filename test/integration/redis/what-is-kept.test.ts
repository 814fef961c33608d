import { describe, expect, it } from 'vitest';
import { subscriptionsOf } from '../../../src/app/callback-parts.ts';
import { ELEVEN_TRIES_IN_A_DAY } from '../../../src/core/callback-schedule.ts';
import { DAY_MS } from '../../../src/core/units.ts';
import { QUEUE_KEY_NAMES } from '../../../src/ledger/queues/job-ids.ts';
import { QUEUE_NAMES } from '../../../src/ledger/queues/queue-names.ts';
import { createKeys } from '../../../src/redis/keys.ts';
import { sweepOnce } from '../../../src/workers/runtime/sweep.ts';
import { WORKER_KINDS } from '../../../src/workers/runtime/worker-kinds.ts';
import { startCallbackReceiver } from '../../support/callback-receiver.ts';
import { documentedKeys, keysIn, rowOf } from '../../support/documented-keys.ts';
import { eventually } from '../../support/eventually.ts';
import { type Pipeline, startTestPipeline } from '../../support/pipeline.ts';
import { directPost } from '../../support/plain-entries.ts';
import { PULLS } from '../../support/publish-case.ts';
import { makeVideo } from '../../support/videos.ts';

const WAIT = { timeoutMs: 90_000 };
const BOUNDS = ['job', 'expiry', 'length', 'number', 'retention'] as const;

/** The patterns of all keys of ours, without the prefix. */
function patternsOfCode(): string[] {
  const { prefix, start, pattern: _, usedLimits: __, ...keys } = createKeys('p');
  expect(start).toBe(`${prefix}:`);
  const all = Object.values(keys).map((key) => {
    return typeof key === 'string' ? key : (key as (...parts: string[]) => string)(...Array(key.length).fill('*'));
  });
  return all.map((key) => key.slice(start.length));
}

/** Everything that a key holds, as text. */
async function contentOf({ redis, keys }: Pipeline, name: string): Promise<string> {
  const key = `${keys.start}${name}`;
  switch (await redis.type(key)) {
    case 'hash':
      return JSON.stringify(await redis.hgetall(key));
    case 'zset':
      return JSON.stringify(await redis.zrange(key, '0', '-1'));
    case 'set':
      return JSON.stringify(await redis.smembers(key));
    case 'list':
      return JSON.stringify(await redis.lrange(key, 0, -1));
    case 'string':
      return String(await redis.get(key));
    default:
      return '';
  }
}

/** As if everything that is there had ended a month ago. */
async function ageAll({ redis, keys }: Pipeline, ids: readonly string[]): Promise<void> {
  const longAgo = Date.now() - 31 * DAY_MS;
  for (const id of ids) await redis.hset(keys.job(id), { stateSince: longAgo });
  for (const id of ids) await redis.zadd(keys.due, 'XX', 0, id);
  for (const queue of Object.values(QUEUE_NAMES)) {
    for (const list of ['completed', 'failed']) {
      const key = `${keys.start}${queue}:${list}`;
      for (const entry of await redis.zrange(key, '0', '-1')) await redis.zadd(key, 'XX', longAgo, entry);
    }
  }
}

/** One job of each kind, to its end. @returns their ids */
async function liveThrough(pipeline: Pipeline, receiver: { readonly url: string }): Promise<string[]> {
  const { publisher, folder, queues, simulator, service } = pipeline;
  const path = await makeVideo(folder, 1_000);
  const post = (title: string) => ({
    ...directPost(path, title),
    callbackUrl: receiver.url,
    metadata: { order: title },
  });

  const published = await publisher.enqueue(post('published'), { idempotencyKey: 'order-1' });
  const draft = await publisher.enqueue({ account: 'acme', mode: 'inbox', media: { type: 'file', path } });
  const failing = await publisher.enqueue({ ...post('failed'), media: { type: 'file', path: '/none.mp4' } });
  const nobody = await publisher.enqueue({ ...post('to a dead host'), callbackUrl: 'http://127.0.0.1:1/hook' });
  for (const { id } of [published, draft, failing, nobody]) await publisher.waitForCompletion(id, WAIT);
  await publisher.retry(failing.id);
  await eventually(async () => (await publisher.get(failing.id))?.state === 'failed', WAIT);

  // A wait for a limit, that a cancel ends.
  simulator.faults.add({
    endpoint: 'video_init',
    act: { kind: 'status', httpStatus: 429, code: 'rate_limit_exceeded' },
  });
  const limited = await publisher.enqueue(post('limited'));
  await eventually(async () => (await publisher.get(limited.id))?.waitingFor === 'rate_limit', WAIT);
  const inLine = await publisher.enqueue(post('in line'));
  const later = await publisher.enqueue({ ...post('later'), scheduledAt: new Date(Date.now() + DAY_MS).toISOString() });
  for (const { id } of [later, inLine, limited]) await publisher.cancel(id);

  // Of a plain client, one of them no request.
  await queues.publish.add('publish', { ...directPost(path), account: 'nobody' });
  const invalid = await queues.publish.add('publish', { account: 'acme' });
  await eventually(async () => (await invalid.getState()) === 'failed', WAIT);

  await pipeline.addAccount('gone', {});
  await service.accounts.remove('gone');
  return await eventually(async () => {
    const { jobs } = await publisher.list();
    const open = jobs.filter(({ state }) => !['published', 'in_inbox', 'failed', 'cancelled'].includes(state));
    if (jobs.length < 8 || open.length > 0) throw new Error(`${jobs.length} jobs, ${open.length} open`);
    return jobs.map(({ id }) => id);
  }, WAIT);
}

describe('the table of what Redis holds', () => {
  it('has every key of ours and of BullMQ, and says of each what bounds it', async () => {
    const rows = await documentedKeys();
    const ofBullmq = rows.filter(({ pattern }) => pattern.startsWith('tiktok-'));
    const ours = rows.filter((row) => !ofBullmq.includes(row));
    expect(ours.map(({ pattern }) => pattern).sort()).toEqual(patternsOfCode().sort());
    expect(ofBullmq.map(({ pattern }) => pattern)).toEqual(
      expect.arrayContaining([
        ...QUEUE_KEY_NAMES.map((name) => `tiktok-*:${name}`),
        ...Object.values(QUEUE_NAMES).map((name) => `${name}:*`),
      ]),
    );
    for (const { pattern, bound, which } of rows) {
      expect(BOUNDS, pattern).toContain(bound);
      if (!['job', 'retention'].includes(bound)) expect(which, pattern).not.toBe('');
    }
  });

  it('says what is left when the retention of all jobs is over', async () => {
    const rows = await documentedKeys();
    const receiver = await startCallbackReceiver();
    const pipeline = await startTestPipeline({
      ...{ workers: false, onDuplicate: 'warn', simulator: { ...PULLS, processingMs: 20 } },
      callbackSecrets: [`whsec_${Buffer.alloc(32, 1).toString('base64')}`],
    });
    const { app, service, deps, redis, keys } = pipeline;
    Object.assign(app.config, { metadataIndex: ['order'] });
    const schedule = { ...ELEVEN_TRIES_IN_A_DAY, delaysMs: [20], pauseAfterFailures: 2, pauseAfterMs: 0 };
    const run = { only: WORKER_KINDS, callbacks: { schedule } };
    const workers = await pipeline.startWorkersWith({}, run);
    const subscriptions = subscriptionsOf(app, service);
    const { id: subscription } = await subscriptions.create({ url: receiver.url, after: '0-0' }, 'a test');
    const ids = await liveThrough(pipeline, receiver);
    const during = await keysIn(pipeline);
    expect(during.filter((key) => rowOf(key, rows) === undefined)).toEqual([]);
    expect(during.length).toBeGreaterThan(60);
    // All deliveries but those to the host that does not answer.
    await eventually(async () => {
      const waiting = await service.queues.events.getJobCountByTypes('waiting', 'active', 'prioritized');
      return waiting === 0 && (await redis.xlen(keys.callbackOutbox)) === 0;
    }, WAIT);
    await workers.close({ timeoutMs: 5_000 });

    await ageAll(pipeline, ids);
    await sweepOnce(deps);
    const left = await keysIn(pipeline);
    const bounded = (bound: string) => left.filter((key) => rowOf(key, rows)?.bound === bound);
    expect(left.filter((key) => rowOf(key, rows) === undefined)).toEqual([]);
    expect(bounded('job')).toEqual([]);
    // One may have expired since; -1 would mean that it never does.
    for (const key of bounded('expiry')) expect(await redis.pttl(`${keys.start}${key}`), key).not.toBe(-1);
    for (const key of bounded('number')) {
      const content = await contentOf(pipeline, key);
      if (!key.startsWith('tiktok-events:'))
        expect(
          ids.filter((id) => `${key} ${content}`.includes(id)),
          key,
        ).toEqual([]);
    }

    // The next ones that end take those along that ended a month ago.
    await service.accounts.pause('acme');
    await service.queues.publish.add('publish', { account: 'acme' });
    const again = await pipeline.startWorkersWith({}, run);
    const countOld = (list: string) => redis.zcount(`${keys.start}${list}`, '-inf', Date.now() - DAY_MS);
    await eventually(async () => {
      const old = (await countOld('tiktok-publish:failed')) + (await countOld('tiktok-events:completed'));
      if (old > 0) throw new Error(`${old} old entries are left`);
    }, WAIT);
    expect(await subscriptions.remove(subscription, 'a test')).toBeDefined();
    await again.close({ timeoutMs: 5_000 });
    await receiver.close();
  });
});
