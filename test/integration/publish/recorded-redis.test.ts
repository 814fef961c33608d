import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, type TestContext } from 'vitest';
import { createAccountVault } from '../../../src/accounts/vault.ts';
import { createPublisherFromConfig } from '../../../src/app/create-publisher.ts';
import { openApp } from '../../../src/app/open-app.ts';
import { openService } from '../../../src/app/open-service.ts';
import { openWorkers } from '../../../src/app/open-workers.ts';
import { loadConfig } from '../../../src/config/load-config.ts';
import type { PublishJob } from '../../../src/core/publish-job.ts';
import { closeRedis, connectRedis } from '../../../src/redis/connections.ts';
import { createKeys } from '../../../src/redis/keys.ts';
import { createSealer } from '../../../src/sealing/sealer.ts';
import { eventually } from '../../support/eventually.ts';
import { RAPID_POLLS } from '../../support/pipeline.ts';
import {
  loadRecordedRedis,
  RECORDED,
  shiftTimes,
  startRecordedTikTok,
  startRecordedWeb,
} from '../../support/recorded-redis.ts';
import { freshPrefix, testRedisUrl } from '../../support/redis.ts';

/** What a job that waits for its account's turn says of it; a3e916a stored `slot`. */
const TURN = 'turn';
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const ENDED = { timeoutMs: 18_000 };

const FOUND: Readonly<Record<string, readonly [state: string, waitingFor?: string]>> = {
  published: ['published'],
  'published public': ['published'],
  in_inbox: ['in_inbox'],
  'failed by TikTok': ['failed'],
  'failed before init': ['failed'],
  'failed with upload URL': ['failed'],
  'gave up': ['processing'],
  processing: ['processing'],
  'processing pull': ['processing'],
  'processing photos': ['processing'],
  'cancel requested': ['processing'],
  'poll under way': ['processing'],
  unconfirmed: ['unconfirmed'],
  cancelled: ['cancelled'],
  scheduled: ['scheduled'],
  'waits rate_limit': ['queued', 'rate_limit'],
  'waits daily_cap': ['queued', 'daily_cap'],
  'waits pending_share_cap': ['queued', 'pending_share_cap'],
  'waits active_user_cap': ['queued', 'active_user_cap'],
  'waits account_paused': ['queued', 'account_paused'],
  'waits reauthorization': ['queued', 'reauthorization'],
  'waits slot': ['queued', TURN],
  'queued s3': ['queued', TURN],
  queued: ['queued'],
  retrying: ['queued'],
  uploading: ['uploading'],
  'last chunk begun': ['uploading'],
  'last chunk in': ['uploading'],
  'pull in doubt': ['uploading'],
  'upload init in doubt': ['uploading'],
};

/** How the jobs end that nothing holds back. */
const OUTCOMES = {
  'gave up': 'published',
  processing: 'published',
  'processing pull': 'published',
  'processing photos': 'published',
  'poll under way': 'published',
  'pull in doubt': 'unconfirmed',
  uploading: 'published',
  'last chunk begun': 'published',
  'last chunk in': 'published',
  'failed with upload URL': 'published',
  'upload init in doubt': 'published',
  'waits slot': 'published',
  queued: 'published',
  plain: 'published',
};

/** Accounts whose jobs TikTok may have already. */
const TOUCHED = ['eve', 'fay', 'gus', 'hal', 'ida', 'amy', 'kim', 'lea', 'max', 'zoe', 'ola', 'ann'];

/** The recorded Redis as it would be so much later, and everything that reads it. */
async function open({ onTestFinished }: Pick<TestContext, 'onTestFinished'>, ageMs: number) {
  const web = await startRecordedWeb();
  onTestFinished(() => web.close());
  const tiktok = await startRecordedTikTok(ageMs);
  onTestFinished(() => tiktok.close());
  const dataDir = await mkdtemp(join(tmpdir(), 'recorded-redis-'));
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
  const prefix = freshPrefix();
  const redis = await connectRedis({ kind: 'url', url: testRedisUrl() }, 'ledger');
  onTestFinished(() => closeRedis(redis));
  const laterByMs = await loadRecordedRedis(redis, prefix, ageMs);
  const config = loadConfig({
    ...{ REDIS_URL: testRedisUrl(), QUEUE_PREFIX: prefix, ENCRYPTION_KEYS: RECORDED.encryptionKey },
    ...{ TIKTOK_API_BASE_URL: tiktok.url, DATA_DIR: dataDir, LOG_LEVEL: process.env.TEST_LOG_LEVEL ?? 'silent' },
    ...{ TIKTOK_CLIENT_KEY: tiktok.clientKey, TIKTOK_CLIENT_SECRET: tiktok.clientSecret },
    ...{ OUTBOUND_ALLOW_HOSTS: '127.0.0.1', CHUNK_SIZE_BYTES: String(RECORDED.chunkSizeBytes) },
    ...{ PREFLIGHT: 'off', ON_DUPLICATE: 'warn', UPLOAD_CONCURRENCY: '16', S3_REGION: 'us-east-1' },
  });
  const publisher = createPublisherFromConfig(config);
  onTestFinished(() => publisher.close());
  const keys = createKeys(prefix);
  const sealer = createSealer([Buffer.from(RECORDED.encryptionKey, 'base64')]);
  const vault = createAccountVault({ redis, keys, sealer, clientKey: tiktok.clientKey });
  const idOf = (name: string): string => RECORDED.jobs[name] ?? '';

  return {
    ...{ web, tiktok, redis, keys, publisher, vault, idOf, sealer },
    cursorAt: (place: number) => shiftTimes(RECORDED.streamIds[place] ?? '', laterByMs),
    async get(name: string): Promise<PublishJob> {
      const job = await publisher.get(idOf(name));
      if (job === undefined) throw new Error(`no record of ${name}`);
      return job;
    },
    ended: (name: string) => publisher.waitForCompletion(idOf(name), ENDED),
    async work() {
      const app = await openApp(config);
      onTestFinished(() => app.close());
      return await openWorkers(await openService(app), { settings: { pollSchedule: RAPID_POLLS } });
    },
    /** Inits of an account that TikTok got since, beside those it had. */
    newInits: (account: string) =>
      tiktok.journal.publishes().filter(({ openId }) => openId === `open-id-${account}`).length -
      RECORDED.publishes.filter(({ openId }) => openId === `open-id-${account}`).length,
  };
}

describe('what version a3e916a left in Redis', () => {
  it('is read: jobs, timelines, events from an old cursor, accounts and what is sealed', async (test) => {
    const world = await open(test, MINUTE_MS);
    const { publisher, vault, redis, keys } = world;
    const { jobs } = await publisher.list({ limit: 100 });
    expect(jobs).toHaveLength(Object.keys(FOUND).length);
    for (const [name, [state, waitingFor = null]] of Object.entries(FOUND)) {
      const job = await world.get(name);
      expect({ name, state: job.state, waitingFor: job.waitingFor }).toEqual({ name, state, waitingFor });
      expect(job.metadata).toEqual({ case: name });
      expect(job.timeline[0]).toMatchObject({ event: 'queued' });
    }
    expect((await world.get('failed by TikTok')).failure).toMatchObject({ code: 'TIKTOK_MEDIA_FRAME_RATE' });
    const seen: string[] = [];
    for await (const { cursor } of publisher.events({ after: world.cursorAt(4) })) {
      seen.push(cursor);
      if (cursor === world.cursorAt(RECORDED.streamIds.length - 1)) break;
    }
    expect(seen).toEqual(RECORDED.streamIds.slice(5).map((_, place) => world.cursorAt(place + 5)));
    const accounts = await vault.list();
    expect(accounts.map(({ account }) => account).sort()).toEqual([...RECORDED.accounts].sort());
    expect(accounts.find(({ account }) => account === 'sue')?.status).toBe('paused');
    expect(accounts.find(({ account }) => account === 'tom')?.status).toBe('reauthorization_required');
    const sealed = (await redis.hget(keys.account('ann'), 'accessToken')) ?? '';
    expect(await world.sealer.open(sealed, 'account:ann:access')).toMatch(/^act\./);
  });

  it('is carried to its end by the present workers, and nothing is begun twice', async (test) => {
    const world = await open(test, MINUTE_MS);
    const { publisher, web, tiktok, idOf } = world;
    expect((await publisher.retry(idOf('failed with upload URL'))).action).toBe('resume');
    expect((await publisher.cancel(idOf('queued s3'))).state).toBe('cancelled');
    await expect(publisher.cancel(idOf('processing'))).rejects.toMatchObject({ code: 'JOB_NOT_CANCELLABLE' });
    await expect(publisher.retry(idOf('unconfirmed'))).rejects.toMatchObject({ code: 'JOB_NOT_RETRYABLE' });
    await expect(publisher.retry(idOf('published'))).rejects.toMatchObject({ code: 'JOB_NOT_RETRYABLE' });
    await world.work();
    // A plain client's entry has no record until a worker takes it over.
    await eventually(async () => (await publisher.get(idOf('plain'))) !== undefined);
    const outcomes = Object.entries(OUTCOMES);
    const jobs = await Promise.all(
      outcomes.map(async ([name]) => [
        name,
        await world.ended(name).then(
          ({ state }) => state,
          () => world.get(name),
        ),
      ]),
    );
    expect(Object.fromEntries(jobs)).toEqual(OUTCOMES);
    for (const account of TOUCHED) expect({ account, inits: world.newInits(account) }).toEqual({ account, inits: 0 });
    expect(world.newInits('ned')).toBe(1);
    for (const reason of ['rate_limit', 'daily_cap', 'pending_share_cap', 'account_paused', 'reauthorization']) {
      expect(await world.get(`waits ${reason}`)).toMatchObject({ state: 'queued', waitingFor: reason });
    }
    expect(await world.get('scheduled')).toMatchObject({ state: 'scheduled' });
    expect(
      tiktok.journal
        .posts()
        .every(({ publishId }, at, all) => all.findIndex((one) => one.publishId === publishId) === at),
    ).toBe(true);
    await eventually(() =>
      ['later', 'hang', 'ok'].every((hook) => web.delivered.some(({ path }) => path.startsWith(`/hook/${hook}`))),
    );
  });

  it('goes on by itself hours later, when waits are over, tokens have expired and uploads are void', async (test) => {
    const world = await open(test, 6 * HOUR_MS);
    await world.work();
    const late = ['scheduled', 'retrying', 'waits slot', 'uploading', 'last chunk begun', 'last chunk in'];
    late.push('cancel requested', 'queued');
    for (const reason of ['rate_limit', 'daily_cap', 'pending_share_cap', 'active_user_cap'])
      late.push(`waits ${reason}`);
    const states = await Promise.all(late.map(async (name) => [name, (await world.ended(name)).state]));
    expect(states).toEqual(late.map((name) => [name, name === 'waits pending_share_cap' ? 'in_inbox' : 'published']));
    // Of kim's upload TikTok has half and says so, and its URL is dead: it alone may begin anew.
    const inits = TOUCHED.map((account) => [account, world.newInits(account)]);
    expect(inits).toEqual(TOUCHED.map((account) => [account, account === 'kim' ? 1 : 0]));
  });
});
