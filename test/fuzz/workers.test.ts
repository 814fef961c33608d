import pino from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import { decodeEvent } from '../../src/core/publish-event.ts';
import type { PublishJob } from '../../src/core/publish-job.ts';
import { eventually } from '../support/eventually.ts';
import { fuzz } from '../support/fuzz-run.ts';
import { type HostilePlan, hostilePlans } from '../support/hostile-replies.ts';
import { hostileTokens, startHostileTikTok, TIKTOK_SECRET } from '../support/hostile-tiktok.ts';
import { type Pipeline, RAPID_POLLS, startTestPipeline } from '../support/pipeline.ts';
import { searchFor } from '../support/secret-search.ts';
import { redisEvidence } from '../support/stored-evidence.ts';
import { makeVideo } from '../support/videos.ts';

/** Longest times of all that waits here (ms). */
const WAIT_MS = 250;
const VIDEO_BYTES = { one_chunk: 1_000, two_chunks: 10_485_760 };
const QUOTAS = ['direct_init', 'inbox_init', 'status', 'creator_info'];
/** Each look makes it later for a job, which on a busy machine costs others their time. */
const PATIENTLY = { timeoutMs: 600_000, intervalMs: 50 };
const ENDED = ['published', 'in_inbox', 'failed', 'cancelled', 'unconfirmed'];

it('makes no second post, and ends every job truly, whatever TikTok answers', { timeout: 3_600_000 }, async () => {
  const tiktok = await startHostileTikTok();
  onTestFinished(() => tiktok.close());
  const leaks: string[] = [];
  const log = pino({ level: 'trace' }, { write: (line) => void (line.includes(TIKTOK_SECRET) && leaks.push(line)) });
  const pipeline = await startTestPipeline({
    ...{ log, preflight: 'warn', polls: { ...RAPID_POLLS, giveUpAfterMs: 4_000 } },
    tiktok: {
      apiBaseUrl: tiktok.url,
      timeouts: { connectMs: WAIT_MS, answerMs: WAIT_MS, stallMs: WAIT_MS },
      briefRetry: { firstDelayMs: 1, totalMs: 1 },
    },
  });
  const { publisher, vault, folder, redis, keys, prefix } = pipeline;
  const videos = {
    one_chunk: await makeVideo(folder, VIDEO_BYTES.one_chunk),
    two_chunks: await makeVideo(folder, VIDEO_BYTES.two_chunks),
  };
  const ended = new Map<number, PublishJob['state']>();
  let count = 0;

  async function begin(plan: HostilePlan): Promise<{ readonly number: number; readonly id: string }> {
    count += 1;
    const number = count;
    const account = `fuzz-${number}`;
    tiktok.addJob(number, plan);
    await addAccount(number, plan.mustRefresh ? 1 : 86_400);
    const { media, mode } = plan;
    const { id } = await publisher.enqueue({
      account,
      media:
        media === 'pull' ? { type: 'pull', url: 'https://a.example/a.mp4' } : { type: 'file', path: videos[media] },
      ...(mode === 'direct' ? { mode, post: { privacyLevel: 'SELF_ONLY' } } : { mode }),
    });
    return { number, id };
  }

  async function addAccount(number: number, expiresInSeconds = 86_400): Promise<void> {
    await vault.add({
      ...{ account: `fuzz-${number}`, openId: `open-${number}`, ...hostileTokens(number), expiresInSeconds },
      ...{ refreshExpiresInSeconds: 86_400, scope: 'video.publish,video.upload' },
    });
  }

  /** As if the owner of an account that has to be connected had done it. */
  async function connectAgain(number: number, { account, waitingFor }: PublishJob): Promise<void> {
    if (waitingFor === 'reauthorization') await addAccount(number);
    if (waitingFor === 'account_paused') await vault.resume(account);
    await pipeline.wakeLane(account);
  }

  async function end(number: number, id: string): Promise<PublishJob> {
    return await eventually(async () => {
      const job = await publisher.get(id);
      if (job !== undefined && ENDED.includes(job.state)) return job;
      expect(await redis.zscore(keys.due, id), 'no time at which the job is looked at').not.toBeNull();
      if (job !== undefined) await connectAgain(number, job);
      await passTime(pipeline, `fuzz-${number}`, id);
      throw new Error(`not ended: ${JSON.stringify([job, tiktok.truthOf(number)])}`);
    }, PATIENTLY);
  }

  /** @param state the job's, as it is shown */
  function expectTrue(number: number, state: PublishJob['state'], shown: string): void {
    const { posts, said } = tiktok.truthOf(number);
    expect(posts.length, shown).toBeLessThan(2);
    if (state === 'failed' || state === 'cancelled') expect(posts, shown).toEqual([]);
    if (state === 'published') expect([...said], shown).toContain('PUBLISH_COMPLETE');
    if (state === 'in_inbox') expect([...said], shown).toContain('SEND_TO_USER_INBOX');
  }

  await fuzz({
    what: 'jobs with a TikTok that answers as it likes',
    count: { short: 40, long: 1_000 },
    inputs: hostilePlans,
    parallel: 8,
    async attempt(plan) {
      const { number, id } = await begin(plan);
      const job = await end(number, id);
      ended.set(number, job.state);
      tiktok.calm(number);
      expectTrue(number, job.state, JSON.stringify([plan, job, tiktok.truthOf(number)], undefined, 1));
    },
  });
  const counts = new Map<string, number>();
  for (const [number, state] of ended) {
    // Nothing has come of a job after its end either.
    expectTrue(number, state, `job ${number}`);
    counts.set(state, (counts.get(state) ?? 0) + 1);
  }
  process.stdout.write(`fuzz: ${tiktok.answerCount()} answers, jobs by state: ${JSON.stringify([...counts])}\n`);
  expect([...counts.keys()]).toEqual(expect.arrayContaining(['published', 'in_inbox', 'failed', 'unconfirmed']));
  expect(leaks).toEqual([]);
  const evidence = await redisEvidence(redis, prefix);
  expect(searchFor([{ name: 'tokens and upload URLs', value: TIKTOK_SECRET }])(evidence)).toEqual([]);
  for (const [, fields] of await redis.xrange(keys.events, '-', '+')) expect(decodeEvent(fields)).toBeDefined();
});

/** Makes it later for a job: its quota is free, what was learned is forgotten, and its entries need not wait any longer. */
async function passTime({ redis, keys, queues }: Pipeline, account: string, id: string): Promise<void> {
  await redis.del(
    ...QUOTAS.map((endpoint) => keys.reservations(account, endpoint)),
    ...[keys.laneDelay(account), keys.activeUsers, keys.newcomers, keys.letIn, keys.facts],
  );
  for (const queue of [queues.publish, queues.status]) {
    const entry = await queue.getJob(id);
    // It may just have begun.
    if ((await entry?.isDelayed()) === true) await entry?.promote().catch(() => undefined);
  }
}
