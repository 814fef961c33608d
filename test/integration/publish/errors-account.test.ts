import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSealer } from '../../../src/accounts/sealer.ts';
import { createVaultTokenSource } from '../../../src/accounts/token-source.ts';
import { createAccountVault } from '../../../src/accounts/vault.ts';
import { ERROR_TABLE, type ErrorCode } from '../../../src/core/error-table.ts';
import type { PublishJob } from '../../../src/core/publish-job.ts';
import { closeRedis, connectRedis } from '../../../src/redis/connections.ts';
import type { FaultAct } from '../../../src/simulator/index.ts';
import { startSimulator } from '../../../src/simulator/index.ts';
import { startWorkers } from '../../../src/workers/index.ts';
import { eventually } from '../../support/eventually.ts';
import { type Pipeline, startPipeline } from '../../support/pipeline.ts';
import { caseOf, openCase, PULLS, retriedCodes } from '../../support/publish-case.ts';
import { testRedisUrl } from '../../support/redis.ts';
import { makeVideo } from '../../support/videos.ts';

let pipeline: Pipeline;
let video: string;

beforeAll(async () => {
  pipeline = await startPipeline({ simulator: { ...PULLS, processingMs: 20, pullMs: 20 } });
  video = await makeVideo(pipeline.folder, 100_000);
});

afterAll(async () => {
  await pipeline.close();
});

const SOURCES = ['file', 'pull'] as const;
const refusal = (httpStatus: number, code: string): FaultAct => ({ kind: 'status', httpStatus, code });

/** A user of the simulator who is not in the vault. */
const unknownCase = (account: string) => caseOf(pipeline, account, pipeline.simulator.addAccount());

/** Makes the end of a wait come now. */
async function endWait({ id }: PublishJob): Promise<void> {
  const { queues } = pipeline;
  await eventually(async () => (await queues.publish.getJob(id))?.isDelayed() ?? false);
  await (await queues.publish.getJob(id))?.promote();
}

describe('an access token that TikTok refuses', () => {
  it.concurrent.each(SOURCES)('is renewed once, and the %s published once', async (source) => {
    const { openId, enqueueFile, enqueuePull, ended, inits, posts, requests } = await openCase(pipeline);
    pipeline.simulator.expireAccessToken(openId);
    const job = await ended(source === 'file' ? await enqueueFile(video) : await enqueuePull());
    expect(job).toMatchObject({ state: 'published', failure: null, attempts: 0 });
    expect(inits().map(({ code }) => code)).toEqual(['access_token_invalid', 'ok']);
    expect([requests('token').length, posts().length]).toEqual([1, 1]);
  });

  it.concurrent.each(SOURCES)('and the renewed one too lets the %s wait for its owner', async (source) => {
    const { fault, enqueueFile, enqueuePull, ended, noted, inits, requests, posts } = await openCase(pipeline);
    const refused = fault('video_init', refusal(401, 'access_token_invalid'), { times: 'always' });
    const enqueued = source === 'file' ? await enqueueFile(video) : await enqueuePull();
    const waiting = await noted(enqueued, 'deferred', 'AUTH_REAUTHORIZATION_REQUIRED');
    expect(waiting).toMatchObject({ state: 'queued', waitingFor: 'reauthorization', attempts: 0, failure: null });
    expect([inits().length, requests('token').length]).toEqual([2, 1]);
    refused.remove();
    await endWait(enqueued);
    expect(await ended(enqueued)).toMatchObject({ state: 'published', waitingFor: null });
    expect(posts()).toHaveLength(1);
  });

  it.concurrent('at a poll is renewed without a word on the job', async () => {
    const { openId, fault, enqueueFile, ended, requests } = await openCase(pipeline);
    fault('upload', { kind: 'delay', ms: 100 });
    const enqueued = await enqueueFile(video);
    const { journal } = pipeline.simulator;
    await journal.waitFor((entry) => entry.endpoint === 'upload' && entry.openId === openId);
    pipeline.simulator.expireAccessToken(openId);
    const job = await ended(enqueued);
    expect(job).toMatchObject({ state: 'published' });
    expect(job.timeline.map(({ event }) => event)).not.toContain('poll_failed');
    expect(requests('token')).toHaveLength(1);
  });
});

describe('a refresh that cannot be made', () => {
  const TROUBLES: [title: string, act: FaultAct, code: ErrorCode][] = [
    ['TikTok refuses the app', refusal(401, 'invalid_client'), 'AUTH_CLIENT_REFUSED'],
    ['TikTok refuses the app with a 200', refusal(200, 'unauthorized_client'), 'AUTH_CLIENT_REFUSED'],
    ['TikTok fails', refusal(500, 'server_error'), 'TIKTOK_INTERNAL'],
    ['TikTok is throttled', { kind: 'raw', httpStatus: 503, body: '<html></html>' }, 'TIKTOK_INTERNAL'],
    ['the connection breaks', { kind: 'drop_before' }, 'TRANSPORT_NO_ANSWER'],
    ['the answer is half a JSON', { kind: 'raw', httpStatus: 200, body: '{"acc' }, 'TRANSPORT_BAD_ANSWER'],
  ];
  const CASES = TROUBLES.flatMap(([title, act, code]) => SOURCES.map((source) => ({ title, act, code, source })));

  it.concurrent.each(CASES)('because $title is made again, and the $source published once', async (trouble) => {
    const { openId, account, fault, enqueueFile, enqueuePull, ended, inits, posts } = await openCase(pipeline);
    pipeline.simulator.expireAccessToken(openId);
    fault('token', trouble.act);
    const job = await ended(trouble.source === 'file' ? await enqueueFile(video) : await enqueuePull());
    expect(job).toMatchObject({ state: 'published', failure: null });
    expect(retriedCodes(job)).toEqual([trouble.code]);
    expect(inits().filter(({ code }) => code === 'ok')).toHaveLength(1);
    expect(posts()).toHaveLength(1);
    expect(await pipeline.vault.get(account)).toMatchObject({ status: 'active' });
  });

  it.concurrent('because the consent was withdrawn lets the job wait until the owner connects again', async () => {
    const { openId, account, enqueueFile, ended, noted, inits, posts } = await openCase(pipeline);
    pipeline.simulator.revokeGrant(openId);
    const enqueued = await enqueueFile(video);
    const job = await noted(enqueued, 'deferred', 'AUTH_REAUTHORIZATION_REQUIRED');
    expect(job).toMatchObject({ state: 'queued', waitingFor: 'reauthorization', attempts: 0, failure: null });
    expect(Date.parse(job.waitingUntil ?? '')).toBeGreaterThan(Date.now());
    expect(await pipeline.vault.get(account)).toMatchObject({ status: 'reauthorization_required' });
    expect(inits().length).toBeLessThanOrEqual(1);
    await pipeline.addAccount(account, { openId });
    await endWait(enqueued);
    expect(await ended(enqueued)).toMatchObject({ state: 'published', attempts: 0 });
    expect(posts()).toHaveLength(1);
  });

  it.concurrent('because there is no refresh token lets the job wait, and makes no init', async () => {
    const account = 'without-refresh-token';
    const { openId, tokens, enqueueFile, noted, inits, requests } = unknownCase(account);
    await pipeline.vault.add({ account, openId, accessToken: tokens.accessToken, expiresInSeconds: 7_200 });
    await pipeline.redis.hset(pipeline.keys.account(account), 'accessTokenExpiresAt', Date.now() - 1);
    const job = await noted(await enqueueFile(video), 'deferred', 'AUTH_REAUTHORIZATION_REQUIRED');
    expect(job).toMatchObject({ state: 'queued', waitingFor: 'reauthorization', attempts: 0 });
    expect([inits().length, requests('token').length]).toEqual([0, 0]);
  });

  it.concurrent("because the app's credentials are missing says so", async () => {
    const own = await startPipeline({ workers: false });
    const connection = await connectRedis({ kind: 'url', url: testRedisUrl() }, 'worker');
    const tokens = createVaultTokenSource({ ...own, tiktok: own.deps.tiktok });
    const workers = startWorkers({
      deps: { ...own.deps, tokens },
      connection,
      prefix: own.prefix,
      concurrency: { upload: 2, status: 2 },
    });
    try {
      const { openId, enqueueFile, ended, posts } = await openCase(own);
      own.simulator.expireAccessToken(openId);
      const job = await ended(await enqueueFile(video));
      const { advice } = ERROR_TABLE.CONFIG_CLIENT_CREDENTIALS_MISSING;
      expect(job).toMatchObject({ state: 'failed', failure: { code: 'CONFIG_CLIENT_CREDENTIALS_MISSING', advice } });
      expect(posts()).toEqual([]);
    } finally {
      await workers.close({ timeoutMs: 0 });
      await tokens.close();
      await closeRedis(connection);
      await own.close();
    }
  });
});

describe('an account that cannot be used', () => {
  it.concurrent.each(SOURCES)('because nobody connected it fails the %s before TikTok hears of it', async (source) => {
    const { enqueueFile, enqueuePull, ended, inits } = unknownCase(`nobody-${source}`);
    const job = await ended(source === 'file' ? await enqueueFile(video) : await enqueuePull());
    expect(job).toMatchObject({
      state: 'failed',
      failure: { code: 'INPUT_ACCOUNT_UNKNOWN', advice: ERROR_TABLE.INPUT_ACCOUNT_UNKNOWN.advice, retryable: true },
    });
    expect(inits()).toEqual([]);
  });

  it.concurrent('because its tokens were sealed with another key fails, and says which setting to mend', async () => {
    const { openId, tokens, enqueueFile, ended, inits } = unknownCase('other-key');
    const otherVault = createAccountVault({ ...pipeline, sealer: createSealer([randomBytes(32)]) });
    await otherVault.add({ account: 'other-key', openId, accessToken: tokens.accessToken });
    const job = await ended(await enqueueFile(video));
    expect(job).toMatchObject({ state: 'failed', failure: { code: 'CONFIG_KEY_UNKNOWN', retryable: true } });
    expect(job.failure?.advice).toContain('ENCRYPTION_KEYS');
    expect(inits()).toEqual([]);
  });

  it.concurrent("because its token was swapped for another account's fails as tampered with", async () => {
    const victim = await openCase(pipeline);
    const { account, enqueueFile, ended, inits } = await openCase(pipeline);
    const { redis, keys } = pipeline;
    const stolen = await redis.hget(keys.account(victim.account), 'accessToken');
    await redis.hset(keys.account(account), 'accessToken', stolen ?? '');
    const job = await ended(await enqueueFile(video));
    expect(job).toMatchObject({ state: 'failed', failure: { code: 'INTERNAL_TAMPERED' } });
    expect([inits().length, victim.inits().length]).toEqual([0, 0]);
  });
});

describe('a TikTok that cannot be reached', () => {
  it.concurrent.each(SOURCES)('gets the %s once it can be again, and nothing is unconfirmed', async (source) => {
    const own = await startPipeline({
      simulator: PULLS,
      retries: { maxAttempts: 100, baseMs: 60, factor: 1, maxMs: 60 },
    });
    const port = Number(new URL(own.simulator.url).port);
    const settings = { ...PULLS, port, processingMs: 20, pullMs: 20 };
    try {
      await own.simulator.close();
      const { enqueueFile, enqueuePull, ended, noted } = caseOf(own, 'acme', own.account);
      const enqueued = source === 'file' ? await enqueueFile(video) : await enqueuePull();
      const waiting = await noted(enqueued, 'attempt_failed', 'TRANSPORT_CONNECT_FAILED');
      expect(waiting).toMatchObject({ state: 'queued', publishId: null, failure: null });
      const again = await startSimulator(settings);
      try {
        // The same seed makes the same user and tokens.
        expect(again.addAccount()).toEqual(own.account);
        const job = await ended(enqueued);
        expect(job).toMatchObject({ state: 'published', failure: null });
        expect(new Set(retriedCodes(job))).toEqual(new Set(['TRANSPORT_CONNECT_FAILED']));
        expect(again.journal.posts()).toHaveLength(1);
      } finally {
        await again.close();
      }
    } finally {
      await own.close();
    }
  });
});
