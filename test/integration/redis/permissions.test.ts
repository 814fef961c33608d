import { Queue } from 'bullmq';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createPublisherFromConfig } from '../../../src/app/create-publisher.ts';
import { accessFindings } from '../../../src/cli/doctor/redis-findings.ts';
import { QUEUE_NAMES } from '../../../src/ledger/queues/queue-names.ts';
import { closeRedis, connectRedis } from '../../../src/redis/connections.ts';
import type { RedisClient } from '../../../src/redis/lua-script.ts';
import {
  leastAcl,
  NEEDED_BY_ENQUEUERS,
  NEEDED_BY_SERVICES,
  plainEnqueuerAcl,
} from '../../../src/redis/needed-commands.ts';
import { describeMissing, findMissingPermissions } from '../../../src/redis/permissions.ts';
import { eventually } from '../../support/eventually.ts';
import { startTestPipeline } from '../../support/pipeline.ts';
import { startRedisServer } from '../../support/redis-server.ts';
import { makeVideo } from '../../support/videos.ts';

/** A Redis whose user `app` may do what a list of ours says. */
async function guardedRedis() {
  const server = await startRedisServer([]);
  onTestFinished(() => server.close());
  const operator = await connectRedis({ kind: 'url', url: `redis://127.0.0.1:${server.port}` }, 'ledger');
  onTestFinished(() => closeRedis(operator));
  const rules = async (text: string) => void (await operator.call('ACL', 'SETUSER', 'app', ...text.split(' ')));
  await rules('reset on >pw');
  return { operator, rules, url: `redis://app:pw@127.0.0.1:${server.port}` };
}

async function connectAs(url: string): Promise<RedisClient> {
  const client = await connectRedis({ kind: 'url', url }, 'producer');
  onTestFinished(() => closeRedis(client));
  return client;
}

/** What Redis refused since it was started. */
async function refused(operator: RedisClient): Promise<unknown[]> {
  return (await operator.call('ACL', 'LOG')) as unknown[];
}

const requestFor = (path: string) =>
  ({
    account: 'acme',
    mode: 'direct',
    media: { type: 'file', path },
    post: { privacyLevel: 'SELF_ONLY' },
  }) as const;

describe('the documented permissions', () => {
  it('are enough for services: jobs run, retry, and wait for their time', async () => {
    const { operator, rules, url } = await guardedRedis();
    await rules(leastAcl(NEEDED_BY_SERVICES, '{t-*}'));
    const pipeline = await startTestPipeline({ redisUrl: url, onDuplicate: 'allow' });
    const request = requestFor(await makeVideo(pipeline.folder, 6_000_000));
    pipeline.simulator.faults.add({ endpoint: 'upload', when: { times: 1 }, act: { kind: 'status', httpStatus: 503 } });
    const { id } = await pipeline.publisher.enqueue(request);
    expect(await pipeline.publisher.waitForCompletion(id)).toMatchObject({ state: 'published' });
    const later = await pipeline.publisher.enqueue({
      ...request,
      scheduledAt: new Date(Date.now() + 500).toISOString(),
    });
    expect(await pipeline.publisher.waitForCompletion(later.id)).toMatchObject({ state: 'published' });
    expect(await refused(operator)).toEqual([]);
  });

  it('are enough for programs that enqueue, look, wait, cancel and retry', async () => {
    const { operator, rules, url } = await guardedRedis();
    await rules(leastAcl(NEEDED_BY_ENQUEUERS, '{t-*}'));
    const pipeline = await startTestPipeline({ redisUrl: url.replace('app:pw@', ''), workers: false });
    const publisher = createPublisherFromConfig({
      ...{
        redis: { kind: 'url', url },
        dataDir: '',
        cacheDir: '',
        queuePrefix: pipeline.prefix,
        retentionMs: 86_400_000,
      },
    });
    onTestFinished(() => publisher.close());
    const request = requestFor(await makeVideo(pipeline.folder, 6_000_000));
    const cancelled = await publisher.enqueue(request, { idempotencyKey: 'a' });
    await publisher.enqueue(request, { idempotencyKey: 'a' });
    const scheduled = await publisher.enqueue({
      ...request,
      scheduledAt: new Date(Date.now() + 3_600_000).toISOString(),
    });
    const [bulk] = await publisher.enqueueBulk([{ request }]);
    await publisher.cancel(cancelled.id);
    await publisher.cancel(scheduled.id);
    expect((await publisher.list({})).jobs).toHaveLength(3);
    const waiting = publisher.waitForCompletion(bulk?.id ?? '');
    const events = publisher.events({ after: '0-0' })[Symbol.asyncIterator]();
    expect((await events.next()).done).toBe(false);
    pipeline.simulator.faults.add({ endpoint: 'status', when: { times: 1 }, act: { kind: 'status', httpStatus: 503 } });
    await pipeline.startWorkers();
    expect(await waiting).toMatchObject({ state: 'published' });
    await events.return?.();
    expect(await refused(operator)).toEqual([]);
  });
});

it('the documented permissions of plain BullMQ clients are enough to add jobs, and reach nothing else', async () => {
  const { operator, rules, url } = await guardedRedis();
  const pipeline = await startTestPipeline({ redisUrl: url.replace('app:pw@', '') });
  const { prefix, keys, publisher } = pipeline;
  await rules(plainEnqueuerAcl(prefix, QUEUE_NAMES.publish));
  const queue = new Queue(QUEUE_NAMES.publish, { prefix, connection: { url } });
  onTestFinished(() => queue.close());
  const data = requestFor(await makeVideo(pipeline.folder, 1_000));
  const jobs = [{}, { jobId: 'a' }, { jobId: 'b', priority: 1 }, { jobId: 'c', delay: 10 }];
  for (const opts of jobs) await queue.add('publish', data, opts);
  await queue.addBulk([{ name: 'publish', data, opts: { jobId: 'd' } }]);
  for (const id of ['a', 'b', 'c', 'd']) {
    const job = await eventually(async () => (await publisher.get(id)) ?? Promise.reject(new Error('not there yet')));
    expect(await publisher.waitForCompletion(job.id)).toMatchObject({ state: 'published' });
  }
  expect(await refused(operator)).toEqual([]);

  const client = await connectAs(url);
  const others = [keys.account('acme'), keys.job('a'), keys.events, `${prefix}:${QUEUE_NAMES.status}:a`];
  for (const key of others) {
    await expect(client.hgetall(key)).rejects.toThrow(/NOPERM/);
    await expect(client.eval("return redis.call('HGET', KEYS[1], 'a')", 1, key)).rejects.toThrow(/NOPERM|permission/);
    await expect(client.hset(key, 'state', 'published')).rejects.toThrow(/NOPERM/);
  }
});

it('a user that may only enqueue is no problem to the doctor, only that workers cannot run as it', async () => {
  const { rules, url } = await guardedRedis();
  await rules(leastAcl(NEEDED_BY_ENQUEUERS, '{p}'));
  const client = await connectAs(url);
  const look = () => accessFindings(client, { kind: 'url', url }, '{p}');
  const message = expect.stringContaining('workers cannot run');
  expect(await look()).toEqual([{ check: 'redis', level: 'advice', message, fix: expect.any(String) }]);
  await rules('-xadd');
  expect(await look()).toMatchObject([{ level: 'problem', message }]);
});

describe('a missing permission', () => {
  const everyCommand = [...NEEDED_BY_SERVICES.direct, ...Object.keys(NEEDED_BY_SERVICES.probes)];

  it('is found whichever it is, and what was tried leaves nothing behind', async () => {
    const { operator, rules, url } = await guardedRedis();
    await rules(leastAcl(NEEDED_BY_SERVICES, '{p}'));
    const client = await connectAs(url);
    expect(await findMissingPermissions(client, '{p}', NEEDED_BY_SERVICES)).toEqual({ commands: [], keys: false });
    for (const command of everyCommand) {
      await rules(`-${command}`);
      const missing = await findMissingPermissions(client, '{p}', NEEDED_BY_SERVICES);
      expect(missing.commands, command).toContain(command);
      await rules(`+${command}`);
    }
    expect(await operator.dbsize()).toBe(0);
  });

  it('of the keys is told with the rule that gives it', async () => {
    const { rules, url } = await guardedRedis();
    await rules(`${leastAcl(NEEDED_BY_SERVICES, '{p}')} -info`);
    const client = await connectAs(url);
    const missing = await findMissingPermissions(client, '{q}', NEEDED_BY_SERVICES);
    expect(describeMissing(missing, { kind: 'url', url }, '{q}')).toEqual({
      what: 'its user "app" is not allowed to run INFO or to use the keys {q}:*',
      fix: expect.stringContaining('ACL SETUSER app ~{q}:* +info'),
    });
  });

  it.each([
    ['a full Redis', 'maxmemory', '1', 'OOM'],
    ['a master without its replicas', 'min-replicas-to-write', '1', 'NOREPLICAS'],
  ])('is not what %s is taken for', async (_, setting, value, code) => {
    const { operator, rules, url } = await guardedRedis();
    await rules(leastAcl(NEEDED_BY_SERVICES, '{p}'));
    const client = await connectAs(url);
    await operator.config('SET', setting, value);
    await eventually(async () => {
      const found = await findMissingPermissions(client, '{p}', NEEDED_BY_SERVICES);
      expect(found).toMatchObject({
        commands: [],
        keys: false,
        writesRefused: { message: expect.stringContaining(code) },
      });
    });
  });
});
