import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'bullmq';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { z } from 'zod';
import { createAccountVault } from '../../../src/accounts/vault.ts';
import { redisClockFindings } from '../../../src/cli/doctor/clock-findings.ts';
import { tiktokFindings } from '../../../src/cli/doctor/tiktok-findings.ts';
import { runCli } from '../../../src/cli/run-cli.ts';
import { loadConfig } from '../../../src/config/load-config.ts';
import { QUEUE_NAMES } from '../../../src/ledger/queues/queue-names.ts';
import { createQueues } from '../../../src/ledger/queues/queues.ts';
import { createFacts } from '../../../src/limits/facts.ts';
import { closeRedis, connectRedis } from '../../../src/redis/connections.ts';
import { createKeys } from '../../../src/redis/keys.ts';
import { thumbprintOf } from '../../../src/sealing/jwe.ts';
import { publishSealingKey } from '../../../src/sealing/published-key.ts';
import { createRequestSecrets } from '../../../src/sealing/request-box.ts';
import { createSealer } from '../../../src/sealing/sealer.ts';
import { startSimulator } from '../../../src/simulator/index.ts';
import { freshPrefix, testRedisUrl } from '../../support/redis.ts';
import { startRedisServer } from '../../support/redis-server.ts';
import { capturedIo } from '../../unit/cli/captured-io.ts';

const NOBODY_LISTENS = 'http://127.0.0.1:9';

const report = z.object({
  healthy: z.boolean(),
  findings: z.array(
    z.object({
      check: z.string(),
      level: z.enum(['ok', 'advice', 'problem']),
      message: z.string(),
      fix: z.string().optional(),
    }),
  ),
});

async function startWorld() {
  const simulator = await startSimulator();
  const redis = await connectRedis({ kind: 'url', url: testRedisUrl() }, 'ledger');
  onTestFinished(async () => {
    await closeRedis(redis);
    await simulator.close();
  });
  const [key, otherKey] = [randomBytes(32), randomBytes(32)];
  const prefix = freshPrefix();
  const env = {
    REDIS_URL: testRedisUrl(),
    QUEUE_PREFIX: prefix,
    ENCRYPTION_KEYS: key.toString('base64'),
    TIKTOK_API_BASE_URL: simulator.url,
    TIKTOK_CLIENT_KEY: simulator.clientKey,
    TIKTOK_CLIENT_SECRET: simulator.clientSecret,
  };
  const keys = createKeys(prefix);
  const vaultSealedBy = (...sealedBy: Buffer[]) => createAccountVault({ redis, keys, sealer: createSealer(sealedBy) });
  return { simulator, redis, keys, prefix, env, key, otherKey, vaultSealedBy };
}

async function examine(env: Record<string, string>) {
  const io = capturedIo({ env });
  const exitCode = await runCli(['doctor', '--json'], io);
  const { healthy, findings } = report.parse(JSON.parse(io.printed().stdout));
  expect(exitCode).toBe(healthy ? 0 : 3);
  const found = (level: 'problem' | 'advice') => findings.filter((finding) => finding.level === level);
  return { healthy, findings, problems: found('problem'), advice: found('advice') };
}

const tokensOf = (account: string) => ({ account, openId: `open-id-${account}`, accessToken: `act.${account}` });

describe('doctor', () => {
  it('finds a deployment healthy, in JSON and for people', async () => {
    const { env, key, vaultSealedBy } = await startWorld();
    await vaultSealedBy(key).add({ ...tokensOf('acme'), scope: 'video.publish,video.upload' });
    const { healthy, findings } = await examine(env);
    expect(healthy).toBe(true);
    const checks = ['settings', 'redis', 'clock', 'accounts', 'queues', 'callbacks', 'tiktok'];
    expect([...new Set(findings.map(({ check }) => check))]).toEqual(checks);
    const elsewhere = expect.stringMatching(
      /^TIKTOK_API_BASE_URL is http:.*: tokens and videos go there, and not to TikTok/,
    );
    expect(findings).toContainEqual(expect.objectContaining({ level: 'advice', message: elsewhere }));
    const io = capturedIo({ env });
    expect(await runCli(['doctor'], io)).toBe(0);
    expect(io.printed().stdout).toMatch(/^ok +redis +Redis \d/m);
    expect(io.printed().stdout).toContain('1 of 1 accounts have tokens that can be decrypted');
    expect(io.printed().stdout).toMatch(/All checks passed\.\n$/);
  });

  it('tells the thumbprint of the public key of apps, and finds one in its place that is not ours', async () => {
    const { env, redis, keys, key, otherKey } = await startWorld();
    const [ours, foreign] = [key, otherKey].map((each) => createRequestSecrets([each]).publicKeys);
    if (ours === undefined || foreign === undefined) throw new Error('no keys');
    await publishSealingKey(redis, keys, ours);
    const thumbprint = expect.stringContaining(await thumbprintOf(ours.jwk));
    expect((await examine(env)).findings).toContainEqual(expect.objectContaining({ level: 'ok', message: thumbprint }));
    await publishSealingKey(redis, keys, foreign);
    const message = expect.stringContaining('is not of ENCRYPTION_KEYS');
    expect((await examine(env)).problems).toContainEqual(expect.objectContaining({ message }));
  });

  it('shows what was learned from TikTok, with source and age', async () => {
    const { env, redis, keys } = await startWorld();
    const facts = createFacts({ redis, keys, clock: Date });
    await facts.change({ name: 'audited', value: false }, { jobId: 'job-7', account: 'acme' });
    await facts.change({ name: 'uploadReport', value: 'count' }, { jobId: 'job-8', account: 'acme' });
    const { healthy, findings } = await examine(env);
    expect(healthy).toBe(true);
    expect(findings).toContainEqual({
      ...{ check: 'tiktok', level: 'advice', fix: expect.stringContaining('SELF_ONLY') },
      message: expect.stringMatching(/has not audited the app.*\(job job-7, \d{4}-/),
    });
    expect(findings).toContainEqual({ check: 'tiktok', level: 'ok', message: expect.stringContaining('job-8') });
  });

  it('names every setting that is wrong, and looks no further', async () => {
    const { healthy, findings } = await examine({ PORT: 'many', UPLOAD_CONCURRENCY: '0' });
    expect(healthy).toBe(false);
    expect(findings).toHaveLength(2);
    expect(findings).toMatchObject([
      { check: 'settings', level: 'problem', message: expect.stringContaining('PORT') },
      { check: 'settings', level: 'problem', message: expect.stringContaining('UPLOAD_CONCURRENCY') },
    ]);
  });

  it('F3: sees settings that are valid as text and cannot be meant so, and advises to let TikTok pull', async () => {
    const { env } = await startWorld();
    const folder = await mkdtemp(join(tmpdir(), 'doctor-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const [missing, file] = [join(folder, 'missing'), join(folder, 'file')];
    await writeFile(file, '');
    const good = await examine({ ...env, MEDIA_ROOTS: folder });
    expect(good.problems).toEqual([]);
    // Told to those who keep videos on a server.
    const guideline = expect.stringContaining('its guidelines want it to download videos that are on a server');
    expect(good.findings).toContainEqual(expect.objectContaining({ level: 'advice', message: guideline }));
    expect((await examine(env)).findings).not.toContainEqual(expect.objectContaining({ message: guideline }));
    const { problems, findings } = await examine({ ...env, MEDIA_ROOTS: `${folder},${missing},${file}` });
    expect(problems).toMatchObject([
      { check: 'settings', message: expect.stringContaining(`${missing}, which does not exist`) },
      { check: 'settings', message: expect.stringContaining(`${file}, which is not a folder`) },
    ]);
    expect(findings.map(({ message }) => message)).not.toContain('every setting is valid');
    for (const key of ['aw12…', 'your client key', 'aw1234567…', 'awx']) {
      const named = (await examine({ ...env, TIKTOK_CLIENT_KEY: key })).problems;
      expect(named).toMatchObject([{ check: 'settings', message: expect.stringContaining('TIKTOK_CLIENT_KEY') }]);
      expect(JSON.stringify(named)).not.toContain(key);
    }
  });

  it('says that Redis and TikTok cannot be reached, each with its setting', async () => {
    const { env } = await startWorld();
    const away = { ...env, REDIS_URL: 'redis://127.0.0.1:9', TIKTOK_API_BASE_URL: NOBODY_LISTENS };
    const { problems } = await examine(away);
    expect(problems).toMatchObject([
      {
        check: 'redis',
        message: expect.stringContaining('connection refused, no server is listening there'),
        fix: expect.stringContaining('REDIS_URL'),
      },
      {
        check: 'tiktok',
        message: expect.stringContaining('ECONNREFUSED'),
        fix: expect.stringContaining('TIKTOK_API_BASE_URL'),
      },
    ]);
  });

  it.each([
    ['no password', '', 'requires a password', 'Add the password to REDIS_URL'],
    [
      'a wrong one',
      ':planted-wrong-password@',
      'rejected the user name or password',
      'Correct the user name and password',
    ],
  ])('says that Redis wants a password where the settings have %s, and repeats none', async (_, login, words, fix) => {
    const { env } = await startWorld();
    const server = await startRedisServer(['requirepass planted-right-password']);
    onTestFinished(() => server.close());
    const { problems } = await examine({ ...env, REDIS_URL: `redis://${login}127.0.0.1:${server.port}` });
    expect(problems).toEqual([
      { check: 'redis', level: 'problem', message: expect.stringContaining(words), fix: expect.stringContaining(fix) },
    ]);
    expect(JSON.stringify(problems)).not.toContain('planted');
  });

  it('says that a Redis is nearly full, and that another one is a replica', async () => {
    const { env } = await startWorld();
    const durable = ['appendonly yes', 'maxmemory-policy noeviction'];
    const full = await startRedisServer([...durable, 'maxmemory 1mb']);
    onTestFinished(() => full.close());
    const replica = await startRedisServer([...durable, 'replicaof 127.0.0.1 9']);
    onTestFinished(() => replica.close());
    const problemsAt = async (port: number) =>
      (await examine({ ...env, REDIS_URL: `redis://127.0.0.1:${port}` })).problems.filter(
        ({ check }) => check === 'redis',
      );
    expect(await problemsAt(full.port)).toMatchObject([
      { message: expect.stringContaining('nearly full'), fix: expect.stringContaining('maxmemory') },
    ]);
    expect(await problemsAt(replica.port)).toMatchObject([
      { message: expect.stringContaining('it is a read-only replica'), fix: expect.stringContaining('master') },
    ]);
  });

  it('says that the key which seals tokens is missing, and how to make one', async () => {
    const { env } = await startWorld();
    const { ENCRYPTION_KEYS: _, ...without } = env;
    const { problems } = await examine(without);
    expect(problems).toMatchObject([{ check: 'settings', message: expect.stringContaining('ENCRYPTION_KEYS') }]);
    expect(`${problems[0]?.message} ${problems[0]?.fix}`).toContain('openssl rand -base64 32');
  });

  it('warns of a Redis that evicts and keeps nothing, without a line of a library beside it', async () => {
    const written = vi.spyOn(console, 'warn').mockReturnValue();
    onTestFinished(() => written.mockRestore());
    const { env } = await startWorld();
    const server = await startRedisServer([
      'maxmemory 100mb',
      'maxmemory-policy allkeys-lru',
      'save ""',
      'appendonly no',
    ]);
    onTestFinished(() => server.close());
    const { problems } = await examine({ ...env, REDIS_URL: `redis://127.0.0.1:${server.port}` });
    expect(problems).toMatchObject([
      { check: 'redis', message: expect.stringContaining('allkeys-lru'), fix: expect.stringContaining('noeviction') },
      {
        check: 'redis',
        message: expect.stringContaining('stores nothing on disk'),
        fix: expect.stringContaining('appendonly'),
      },
    ]);
    expect(written).not.toHaveBeenCalled();
  });

  it('names the accounts whose tokens cannot be opened, and why, without a token', async () => {
    const { env, key, otherKey, vaultSealedBy, redis, keys } = await startWorld();
    await vaultSealedBy(key).add(tokensOf('acme'));
    await vaultSealedBy(otherKey).add(tokensOf('foreign'));
    await vaultSealedBy(key).add(tokensOf('tampered'));
    await redis.hset(keys.account('tampered'), 'accessToken', 'act.in-the-clear');
    const { problems, findings } = await examine(env);
    expect(problems).toMatchObject([
      {
        check: 'accounts',
        message: expect.stringMatching(/^the tokens of "foreign" cannot be decrypted: .*CONFIG_KEY_UNKNOWN/),
        fix: expect.stringContaining('ENCRYPTION_KEYS'),
      },
      {
        check: 'accounts',
        message: expect.stringMatching(/^the tokens of "tampered" cannot be decrypted: .*INTERNAL_TAMPERED/),
        fix: expect.stringContaining('connect the account again'),
      },
    ]);
    expect(findings.map(({ message }) => message)).toContain('1 of 3 accounts have tokens that can be decrypted');
    expect(JSON.stringify(findings)).not.toContain('act.');
  });

  it('names accounts that another app connected, by the beginning of its client key', async () => {
    const { env, key, redis, keys } = await startWorld();
    const vaultOf = (clientKey?: string) => createAccountVault({ redis, keys, sealer: createSealer([key]), clientKey });
    for (const account of ['theirs', 'theirs-too']) await vaultOf('aw12-planted').add(tokensOf(account));
    await vaultOf('sb34-planted').add(tokensOf('another'));
    await vaultOf(env.TIKTOK_CLIENT_KEY).add(tokensOf('ours'));
    await vaultOf().add(tokensOf('unknown'));
    const { problems, findings } = await examine(env);
    expect(problems).toMatchObject([
      {
        check: 'accounts',
        message: expect.stringMatching(/^connected by another app \(client key aw12…\).*: "theirs", "theirs-too"$/),
        fix: expect.stringContaining('restore the previous TIKTOK_CLIENT_KEY'),
      },
      { check: 'accounts', message: expect.stringMatching(/sb34….*: "another"$/) },
    ]);
    expect(JSON.stringify(findings)).not.toContain('planted');
    const withoutKey = { ...env, TIKTOK_CLIENT_KEY: '', TIKTOK_CLIENT_SECRET: '' };
    expect((await examine(withoutKey)).problems).toEqual([]);
  });

  it('tells of refresh tokens that end soon or have ended, and not of those whose owners are asked already', async () => {
    const { env, key, redis, keys, vaultSealedBy } = await startWorld();
    const vault = vaultSealedBy(key);
    const daySeconds = 86_400;
    const ends = { used: 180, quiet: 13, quieter: 8.5, asked: 3 };
    for (const [account, days] of Object.entries(ends)) {
      await vault.add({ ...tokensOf(account), refreshToken: 'rft.1', refreshExpiresInSeconds: days * daySeconds });
    }
    await vault.add({ ...tokensOf('over'), refreshToken: 'rft.1', refreshExpiresInSeconds: 1 });
    await redis.hset(keys.account('over'), 'refreshTokenExpiresAt', Date.now() - 1_000);
    await vault.markReauthorizationRequired('asked', { reason: 'withdrawn' });
    const { problems, advice } = await examine(env);
    expect(problems).toMatchObject([
      {
        check: 'accounts',
        message: 'refresh tokens have expired, so the accounts have no access: "over"',
        fix: expect.stringContaining('accounts connect'),
      },
    ]);
    expect(advice).toContainEqual({
      check: 'accounts',
      level: 'advice',
      message: 'the refresh token of "quieter" expires in 9 days, and soon after that those of "quiet"',
      fix: expect.stringContaining('/v1/accounts/<name>/creator'),
    });
  });

  it('advises what to do for accounts that wait for somebody', async () => {
    const { env, key, otherKey, vaultSealedBy, redis, prefix } = await startWorld();
    await redis.set(createKeys(prefix).sealingKeyBefore02, 'of an older service');
    const vault = vaultSealedBy(key);
    await vaultSealedBy(otherKey).add({ ...tokensOf('older'), scope: 'video.publish,video.upload' });
    for (const account of ['gone', 'narrow', 'quiet']) await vault.add({ ...tokensOf(account), scope: 'video.upload' });
    await vault.markReauthorizationRequired('gone', { reason: 'withdrawn' });
    await vault.pause('quiet');
    const bothKeys = `${key.toString('base64')},${otherKey.toString('base64')}`;
    const { healthy, advice } = await examine({ ...env, ENCRYPTION_KEYS: bothKeys });
    expect(healthy).toBe(true);
    const fixes = advice.filter(({ check }) => check === 'accounts').map(({ message, fix }) => `${message} ${fix}`);
    expect(fixes).toEqual([
      expect.stringMatching(/older key: "older" .*accounts rekey/),
      expect.stringMatching(/connected again.*: "gone" .*accounts connect/),
      expect.stringMatching(/paused.*: "quiet" .*accounts resume/),
      expect.stringMatching(/video\.publish.*: "gone", "narrow", "quiet" /),
      expect.stringMatching(/versions before 0\.2\.0.*accounts rekey/),
    ]);
  });

  it('sees that jobs wait and nobody works, and that a queue is paused', async () => {
    const { env, redis, prefix } = await startWorld();
    const queues = createQueues({ connection: redis, prefix });
    onTestFinished(() => queues.close());
    await queues.addPublishEntries([{ id: 'job-one', account: 'acme', priority: 0, delayMs: 0 }]);
    const { problems } = await examine(env);
    expect(problems).toMatchObject([
      {
        check: 'queues',
        message: '1 job of tiktok-publish is waiting and no worker processes it: no worker is connected',
        fix: expect.stringContaining('tiktok-publisher worker'),
      },
    ]);
    await queues.publish.pause();
    expect((await examine(env)).problems).toMatchObject([
      { message: expect.stringContaining('tiktok-publish is paused') },
    ]);
    await queues.publish.obliterate({ force: true });
    await queues.publish.resume();
    expect((await examine(env)).problems).toEqual([]);
  });

  it('sees that delayed jobs are overdue, since it takes a worker to start them', async () => {
    const { env, redis, prefix } = await startWorld();
    const queues = createQueues({ connection: redis, prefix });
    onTestFinished(() => queues.close());
    await queues.addStatusEntry({ version: 1, id: 'job-one', account: 'acme' }, 60_000);
    expect((await examine(env)).problems).toEqual([]);
    await redis.zadd(queues.status.toKey('delayed'), (Date.now() - 5 * 60_000) * 4_096, 'job-one');
    expect((await examine(env)).problems).toMatchObject([
      {
        check: 'queues',
        message:
          'delayed jobs of tiktok-status should have started 5 min ago and no worker processes them: no worker is connected',
        fix: expect.stringContaining('tiktok-publisher worker'),
      },
    ]);
  });

  it('names the entries of another version, whatever they wait for, and no others', async () => {
    const { env, redis, prefix } = await startWorld();
    const queues = createQueues({ connection: redis, prefix });
    onTestFinished(() => queues.close());
    const request = { account: 'acme', mode: 'inbox', media: { type: 'file', path: '/x.mp4' } } as const;
    await queues.publish.addBulk([
      { name: 'publish', data: request, opts: { jobId: 'without-version' } },
      { name: 'publish', data: { ...request, version: 1 }, opts: { jobId: 'present' } },
      { name: 'publish', data: { account: 7 }, opts: { jobId: 'malformed' } },
      { name: 'publish', data: { ...request, version: 2 }, opts: { jobId: 'future' } },
      { name: 'publish', data: { ...request, version: 0 }, opts: { jobId: 'past', delay: 60_000 } },
      { name: 'publish', data: { ...request, version: 'x' }, opts: { jobId: 'odd', priority: 3 } },
    ]);
    await queues.status.add('status', { version: 2, id: 'a', account: 'b' }, { jobId: 'later-poll', delay: 60_000 });
    await queues.addStatusEntry({ version: 1, id: 'poll', account: 'b' }, 60_000);
    const foreign = (await examine(env)).problems.filter(({ message }) => message.includes('incompatible version'));
    expect(foreign).toMatchObject([
      { message: expect.stringMatching(/^3 entries of tiktok-publish .*: "future", "odd", "past"$/) },
      { message: expect.stringMatching(/^1 entries of tiktok-status .*: "later-poll"$/) },
    ]);
    for (const { fix } of foreign) expect(fix).toContain('upgrade the workers');
  });

  it('counts what failed, and misses no worker that is there', async () => {
    const { env, redis, prefix } = await startWorld();
    const queues = createQueues({ connection: redis, prefix });
    const connection = await connectRedis({ kind: 'url', url: testRedisUrl() }, 'worker');
    const fail = async () => {
      throw new Error('planned');
    };
    const worker = new Worker(QUEUE_NAMES.publish, fail, { connection, prefix });
    onTestFinished(async () => {
      await worker.close();
      await queues.close();
      await closeRedis(connection);
    });
    const failed = once(worker, 'failed');
    await queues.addPublishEntries([{ id: 'job-one', account: 'acme', priority: 0, delayMs: 0 }]);
    await failed;
    const { problems, advice } = await examine(env);
    expect(problems).toEqual([]);
    const told = advice.filter(({ check }) => check === 'queues').map(({ message }) => message);
    expect(told).toEqual([
      '1 job of tiktok-publish failed and must be checked',
      'no worker of tiktok-status is connected',
    ]);
  });
});

describe('the clock check', () => {
  it.each([
    [0, 'ok', 'agree'],
    [2_500, 'advice', '2.5 s ahead of'],
    [-90_000, 'problem', '1 min behind'],
  ])('of a machine whose clock is %d ms ahead says %s', async (aheadMs, level, words) => {
    const { redis } = await startWorld();
    const [finding] = await redisClockFindings(redis, () => Date.now() + aheadMs);
    expect(finding).toMatchObject({ level, message: expect.stringContaining(words) });
  });

  it.each([
    [4_000, 'ok', 'agree'],
    [20_000, 'advice', '19 s ahead of|20 s ahead of'],
    [-3_600_000, 'problem', '(59 min|1 h) behind'],
  ])('of a machine whose clock is %d ms ahead of TikTok says %s', async (aheadMs, level, words) => {
    const { simulator } = await startWorld();
    const config = loadConfig({ TIKTOK_API_BASE_URL: simulator.url });
    const findings = await tiktokFindings(config, () => Date.now() + aheadMs);
    const message = expect.stringMatching(`TikTok.*${words}|(${words}) that of TikTok`);
    expect(findings.filter(({ check }) => check === 'clock')).toEqual([expect.objectContaining({ level, message })]);
  });

  it('of a TikTok that does not tell the time says nothing', async () => {
    const server = createServer((_, response) => {
      response.sendDate = false;
      response.end();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const address = server.address();
    if (typeof address !== 'object' || address === null) throw new Error('no address');
    const config = loadConfig({ TIKTOK_API_BASE_URL: `http://127.0.0.1:${address.port}` });
    expect((await tiktokFindings(config, Date.now)).map(({ check }) => check)).not.toContain('clock');
  });
});
