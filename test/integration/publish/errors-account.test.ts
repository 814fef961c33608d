import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createVaultTokenSource } from '../../../src/accounts/token-source.ts';
import { createAccountVault } from '../../../src/accounts/vault.ts';
import { ERROR_TABLE, type ErrorCode } from '../../../src/core/error-table.ts';
import { createSealer } from '../../../src/sealing/sealer.ts';
import type { FaultAct } from '../../../src/simulator/index.ts';
import { startSimulator } from '../../../src/simulator/index.ts';
import { eventually, PATIENTLY } from '../../support/eventually.ts';
import { startPipeline } from '../../support/pipeline.ts';
import { caseOf, openCase, PULLS, retriedCodes } from '../../support/publish-case.ts';
import { usePublishWorld } from '../../support/publish-world.ts';

const world = usePublishWorld(100_000);

const SOURCES = ['file', 'pull'] as const;
const refusal = (httpStatus: number, code: string): FaultAct => ({ kind: 'status', httpStatus, code });

/** A user of the simulator who is not in the vault. */
const unknownCase = (account: string) => caseOf(world().pipeline, account, world().pipeline.simulator.addAccount());

describe('an access token that TikTok refuses', () => {
  it.concurrent.each(SOURCES)('is renewed once, and the %s published once', async (source) => {
    const { openId, enqueueFile, enqueuePull, ended, inits, posts, requests } = await openCase(world().pipeline);
    world().pipeline.simulator.expireAccessToken(openId);
    const job = await ended(source === 'file' ? await enqueueFile(world().video) : await enqueuePull());
    expect(job).toMatchObject({ state: 'published', failure: null, attempts: 0 });
    expect(inits().map(({ code }) => code)).toEqual(['access_token_invalid', 'ok']);
    expect([requests('token').length, posts().length]).toEqual([1, 1]);
  });

  it.concurrent.each(SOURCES)('and the renewed one too lets the %s wait for its owner', async (source) => {
    const { fault, enqueueFile, enqueuePull, ended, noted, endWait, inits, requests, posts } = await openCase(
      world().pipeline,
    );
    const refused = fault('video_init', refusal(401, 'access_token_invalid'), { times: 'always' });
    const enqueued = source === 'file' ? await enqueueFile(world().video) : await enqueuePull();
    const waiting = await noted(enqueued, 'deferred', 'AUTH_REAUTHORIZATION_REQUIRED');
    expect(waiting).toMatchObject({ state: 'queued', waitingFor: 'reauthorization', attempts: 0, failure: null });
    expect([inits().length, requests('token').length]).toEqual([2, 1]);
    refused.remove();
    await endWait('publish', enqueued.id);
    expect(await ended(enqueued)).toMatchObject({ state: 'published', waitingFor: null });
    expect(posts()).toHaveLength(1);
  });

  it.concurrent('at a poll is renewed without a word on the job', async () => {
    const { openId, fault, enqueueFile, ended, requests } = await openCase(world().pipeline);
    fault('upload', { kind: 'delay', ms: 100 });
    const enqueued = await enqueueFile(world().video);
    const { journal } = world().pipeline.simulator;
    await journal.waitFor((entry) => entry.endpoint === 'upload' && entry.openId === openId, PATIENTLY);
    world().pipeline.simulator.expireAccessToken(openId);
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
    ['TikTok is away for a moment', refusal(503, 'temporarily_unavailable'), 'TIKTOK_INTERNAL'],
    ['a gateway answers', { kind: 'raw', httpStatus: 503, body: '<html></html>' }, 'TIKTOK_INTERNAL'],
    ['the response type is not supported', refusal(400, 'unsupported_response_type'), 'AUTH_CLIENT_REFUSED'],
    ['the grant type is not supported', refusal(400, 'unsupported_grant_type'), 'AUTH_CLIENT_REFUSED'],
    ['the refresh was malformed', refusal(400, 'invalid_request'), 'AUTH_CLIENT_REFUSED'],
    ['the connection breaks', { kind: 'drop_before' }, 'TRANSPORT_NO_ANSWER'],
    ['the answer is half a JSON', { kind: 'raw', httpStatus: 200, body: '{"acc' }, 'TRANSPORT_BAD_ANSWER'],
  ];
  const CASES = TROUBLES.flatMap(([title, act, code]) => SOURCES.map((source) => ({ title, act, code, source })));

  it.concurrent.each(CASES)('because $title is made again, and the $source published once', async (trouble) => {
    const { openId, account, fault, enqueueFile, enqueuePull, ended, inits, posts } = await openCase(world().pipeline);
    world().pipeline.simulator.expireAccessToken(openId);
    fault('token', trouble.act);
    const job = await ended(trouble.source === 'file' ? await enqueueFile(world().video) : await enqueuePull());
    expect(job).toMatchObject({ state: 'published', failure: null });
    expect(retriedCodes(job)).toEqual([trouble.code]);
    expect(inits().filter(({ code }) => code === 'ok')).toHaveLength(1);
    expect(posts()).toHaveLength(1);
    expect(await world().pipeline.vault.get(account)).toMatchObject({ status: 'active' });
  });

  it.concurrent.each<[oauthError: string, httpStatus: number, code: ErrorCode]>([
    ['invalid_scope', 200, 'AUTH_SCOPE_MISSING'],
  ])('because of %s fails the job, and keeps the account', async (oauthError, httpStatus, code) => {
    const { openId, account, fault, enqueuePull, ended, inits, posts } = await openCase(world().pipeline);
    world().pipeline.simulator.expireAccessToken(openId);
    fault('token', refusal(httpStatus, oauthError));
    const job = await ended(await enqueuePull());
    expect(job).toMatchObject({ state: 'failed', failure: { code, tiktokCode: oauthError } });
    expect([inits().length, posts().length]).toEqual([1, 0]);
    expect(await world().pipeline.vault.get(account)).toMatchObject({ status: 'active' });
  });

  it.concurrent.each([
    ['invalid_grant', 200],
    ['invalid_grant', 400],
    ['access_denied', 401],
  ])('because of %s (%i) lets the job wait for the owner', async (oauthError, httpStatus) => {
    const { openId, account, fault, enqueuePull, noted, inits, requests } = await openCase(world().pipeline);
    world().pipeline.simulator.expireAccessToken(openId);
    fault('token', refusal(httpStatus, oauthError));
    const job = await noted(await enqueuePull(), 'deferred', 'AUTH_REAUTHORIZATION_REQUIRED');
    expect(job).toMatchObject({ state: 'queued', waitingFor: 'reauthorization', attempts: 0, failure: null });
    expect([inits().length, requests('token').length]).toEqual([1, 1]);
    expect(await world().pipeline.vault.get(account)).toMatchObject({ status: 'reauthorization_required' });
  });

  it.concurrent('because the consent was withdrawn lets the job wait until the owner connects again', async () => {
    const { openId, account, enqueueFile, ended, noted, endWait, inits, posts } = await openCase(world().pipeline);
    world().pipeline.simulator.revokeGrant(openId);
    const enqueued = await enqueueFile(world().video);
    const job = await noted(enqueued, 'deferred', 'AUTH_REAUTHORIZATION_REQUIRED');
    expect(job).toMatchObject({ state: 'queued', waitingFor: 'reauthorization', attempts: 0, failure: null });
    expect(Date.parse(job.waitingUntil ?? '')).toBeGreaterThan(Date.now());
    expect(await world().pipeline.vault.get(account)).toMatchObject({ status: 'reauthorization_required' });
    expect(inits().length).toBeLessThanOrEqual(1);
    await world().pipeline.addAccount(account, { openId });
    await endWait('publish', enqueued.id);
    expect(await ended(enqueued)).toMatchObject({ state: 'published', attempts: 0 });
    expect(posts()).toHaveLength(1);
  });

  it.concurrent('because there is no refresh token lets the job wait, and makes no init', async () => {
    const account = 'without-refresh-token';
    const { openId, tokens, enqueueFile, noted, inits, requests } = unknownCase(account);
    await world().pipeline.vault.add({ account, openId, accessToken: tokens.accessToken, expiresInSeconds: 7_200 });
    await world().pipeline.redis.hset(world().pipeline.keys.account(account), 'accessTokenExpiresAt', Date.now() - 1);
    const job = await noted(await enqueueFile(world().video), 'deferred', 'AUTH_REAUTHORIZATION_REQUIRED');
    expect(job).toMatchObject({ state: 'queued', waitingFor: 'reauthorization', attempts: 0 });
    expect([inits().length, requests('token').length]).toEqual([0, 0]);
  });

  it.concurrent("because the app's credentials are missing says so", async () => {
    const own = await startPipeline({ workers: false });
    const tokens = createVaultTokenSource({ ...own, tiktok: own.deps.tiktok });
    await own.startWorkersWith({ tokens });
    try {
      const { openId, enqueueFile, ended, posts } = await openCase(own);
      own.simulator.expireAccessToken(openId);
      const job = await ended(await enqueueFile(world().video));
      const { advice } = ERROR_TABLE.CONFIG_CLIENT_CREDENTIALS_MISSING;
      expect(job).toMatchObject({ state: 'failed', failure: { code: 'CONFIG_CLIENT_CREDENTIALS_MISSING', advice } });
      expect(posts()).toEqual([]);
    } finally {
      await own.close();
      await tokens.close();
    }
  });
});

describe('an account that cannot be used', () => {
  it.concurrent.each(SOURCES)('because nobody connected it fails the %s before TikTok hears of it', async (source) => {
    const { enqueueFile, enqueuePull, ended, inits } = unknownCase(`nobody-${source}`);
    const job = await ended(source === 'file' ? await enqueueFile(world().video) : await enqueuePull());
    expect(job).toMatchObject({
      state: 'failed',
      failure: { code: 'INPUT_ACCOUNT_UNKNOWN', advice: ERROR_TABLE.INPUT_ACCOUNT_UNKNOWN.advice, retryable: true },
    });
    expect(inits()).toEqual([]);
  });

  it.concurrent('because its tokens were sealed with another key fails, and says which setting to mend', async () => {
    const { openId, tokens, enqueueFile, ended, inits } = unknownCase('other-key');
    const otherVault = createAccountVault({ ...world().pipeline, sealer: createSealer([randomBytes(32)]) });
    await otherVault.add({ account: 'other-key', openId, accessToken: tokens.accessToken });
    const job = await ended(await enqueueFile(world().video));
    expect(job).toMatchObject({ state: 'failed', failure: { code: 'CONFIG_KEY_UNKNOWN', retryable: true } });
    expect(job.failure?.advice).toContain('ENCRYPTION_KEYS');
    expect(inits()).toEqual([]);
  });

  it.concurrent("because its token was swapped for another account's fails as tampered with", async () => {
    const victim = await openCase(world().pipeline);
    const { account, enqueueFile, ended, inits } = await openCase(world().pipeline);
    const { redis, keys } = world().pipeline;
    const stolen = await redis.hget(keys.account(victim.account), 'accessToken');
    await redis.hset(keys.account(account), 'accessToken', stolen ?? '');
    const job = await ended(await enqueueFile(world().video));
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
      const enqueued = source === 'file' ? await enqueueFile(world().video) : await enqueuePull();
      // The next attempt may just be under way.
      await eventually(async () => {
        const waiting = await noted(enqueued, 'attempt_failed', 'TRANSPORT_CONNECT_FAILED');
        expect(waiting).toMatchObject({ publishId: null, failure: null, waitingFor: null });
        expect(Date.parse(waiting.waitingUntil ?? '')).toBeGreaterThan(Date.parse(waiting.createdAt));
      });
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
