import { randomInt } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Queue } from 'bullmq';
import { afterEach, expect, it, onTestFinished } from 'vitest';
import { closeRedis, connectRedis } from '../../../src/redis/connections.ts';
import { eventually } from '../../support/eventually.ts';
import { testRedisUrl } from '../../support/redis.ts';
import { makeVideo } from '../../support/videos.ts';
import { addAccount, endCommands, freshEnvironment, startCommand, startTikTok } from '../cli/command.ts';

const ROUNDS = 3;
const ACCOUNTS = ['one', 'two', 'three'];
const TAKEN_OVER = { timeoutMs: 90_000, intervalMs: 200 };

afterEach(endCommands);

it('workers that are killed again and again publish each entry of a plain BullMQ client once', async () => {
  const { simulator, settings } = await startTikTok({ processingMs: 20 });
  const folder = await mkdtemp(join(tmpdir(), 'tiktok-publisher-plain-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const env = freshEnvironment(settings);
  for (const account of ACCOUNTS) await addAccount(simulator, account, env);
  const queue = new Queue('tiktok-publish', {
    prefix: env.QUEUE_PREFIX ?? '',
    connection: { url: env.REDIS_URL ?? '' },
  });
  onTestFinished(() => queue.close());
  const redis = await connectRedis({ kind: 'url', url: testRedisUrl() }, 'producer');
  onTestFinished(() => closeRedis(redis));
  const path = await makeVideo(folder, 1_000);
  const titles: string[] = [];

  for (let round = 0; round < ROUNDS; round += 1) {
    for (const account of ACCOUNTS) {
      for (const way of ['numbered', 'named']) {
        const title = `${way} ${account} ${round}`;
        titles.push(title);
        const request = { account, mode: 'direct', media: { type: 'file', path }, post: post(title) };
        await queue.add('publish', request, way === 'named' ? { jobId: `order-${account}-${round}` } : {});
      }
    }
    const happened = await redis.xlen(queue.toKey('events'));
    const worker = startCommand(['worker'], env);
    // BullMQ tells of each step of an entry: somewhere among the first starts and ends of this round.
    const killedAfter = randomInt(1, 20);
    console.log('worker of plain entries killed after', killedAfter, 'of BullMQ’s events');
    const many = happened + killedAfter;
    await eventually(async () => (await redis.xlen(queue.toKey('events'))) >= many, { ...TAKEN_OVER, intervalMs: 1 });
    worker.kill('SIGKILL');
    await worker.ended;
  }

  startCommand(['worker'], env);
  await eventually(() => {
    const missing = titles.filter((title) => !simulator.journal.posts().some((post) => post.title === title));
    if (missing.length > 0) throw new Error(`${missing.length} of ${titles.length} are missing, such as ${missing[0]}`);
  }, TAKEN_OVER);
  await eventually(async () => (await queue.getActiveCount()) === 0, TAKEN_OVER);
  expect(await queue.getJobCountByTypes('waiting', 'delayed', 'prioritized')).toBe(0);
  expect(
    simulator.journal
      .posts()
      .map(({ title }) => title)
      .sort(),
  ).toEqual(titles.sort());
}, 240_000);

const post = (title: string) => ({ title, privacyLevel: 'SELF_ONLY' });
