import { randomBytes } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { runCli } from '../../../src/cli/run-cli.ts';
import { createLanes } from '../../../src/limits/lanes.ts';
import { closeRedis, connectRedis } from '../../../src/redis/connections.ts';
import { createKeys } from '../../../src/redis/keys.ts';
import { publishedSealingKey } from '../../../src/sealing/published-key.ts';
import { createRequestSecrets } from '../../../src/sealing/request-box.ts';
import { startSimulator } from '../../../src/simulator/index.ts';
import { freshPrefix, testRedisUrl } from '../../support/redis.ts';
import { capturedIo } from '../../unit/cli/captured-io.ts';

const [key, newKey] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')];

async function startWorld() {
  const simulator = await startSimulator();
  onTestFinished(() => simulator.close());
  const env = {
    REDIS_URL: testRedisUrl(),
    QUEUE_PREFIX: freshPrefix(),
    ENCRYPTION_KEYS: key,
    TIKTOK_API_BASE_URL: simulator.url,
    TIKTOK_CLIENT_KEY: simulator.clientKey,
    TIKTOK_CLIENT_SECRET: simulator.clientSecret,
  };
  const run = async (args: string[], { stdin = '', ...more }: Record<string, string> = {}) => {
    const io = capturedIo({ env: { ...env, ...more }, stdin });
    const exitCode = await runCli([...args, '--json'], io);
    const { stdout, stderr } = io.printed();
    return { exitCode, answer: z.looseObject({}).parse(JSON.parse(stdout)), stdout, stderr };
  };
  const add = (account: string, openId: string, tokens: Record<string, unknown>) =>
    run(['accounts', 'add', account, '--open-id', openId], { stdin: JSON.stringify(tokens) });
  const addUser = async (account: string, openId = `open-id-${account}`) => {
    const { accessToken, refreshToken } = simulator.addAccount({ openId });
    expect((await add(account, openId, { accessToken, refreshToken })).exitCode).toBe(0);
  };
  return { simulator, env, run, add, addUser };
}

/** What lies in Redis under a prefix. */
async function connect(prefix: string) {
  const redis = await connectRedis({ kind: 'url', url: testRedisUrl() }, 'ledger');
  onTestFinished(() => closeRedis(redis));
  return { redis, keys: createKeys(prefix) };
}

describe('accounts add', () => {
  it('warns of what its owner did not grant, and adds it all the same', async () => {
    const { add } = await startWorld();
    const some = await add('acme', 'o-1', { accessToken: 'act.1', scope: 'user.info.basic,video.upload' });
    expect(some).toMatchObject({ exitCode: 0, answer: { account: 'acme', missingScopes: ['video.publish'] } });
    expect(some.stderr).toContain('did not grant video.publish');
    const all = await add('beta', 'o-2', { accessToken: 'act.2', scope: 'video.publish,video.upload' });
    expect(all).toMatchObject({ exitCode: 0, answer: { missingScopes: [] }, stderr: '' });
    expect(await add('gamma', 'o-3', { accessToken: 'act.3' })).toMatchObject({ exitCode: 0, stderr: '' });
  });

  it('refuses a TikTok user who is there under another name, and a name that is another user', async () => {
    const { run, add } = await startWorld();
    await add('acme', 'o-1', { accessToken: 'act.1' });
    const twice = await add('beta', 'o-1', { accessToken: 'act.2' });
    expect(twice).toMatchObject({
      exitCode: 2,
      answer: {
        error: { code: 'INPUT_INVALID', problems: [{ message: expect.stringContaining('stored as "acme"') }] },
      },
    });
    expect((await add('acme', 'o-2', { accessToken: 'act.2' })).exitCode).toBe(2);
    expect((await run(['accounts', 'list'])).answer).toMatchObject({ accounts: [{ account: 'acme', openId: 'o-1' }] });
  });

  it('takes the open_id from the JSON, as REST does, and refuses two that differ', async () => {
    const { run } = await startWorld();
    const stdin = JSON.stringify({ openId: 'o-7', accessToken: 'act.1' });
    const add = ['accounts', 'add', 'acme'];
    expect(await run(add, { stdin })).toMatchObject({ exitCode: 0, answer: { account: 'acme', openId: 'o-7' } });
    expect(await run([...add, '--open-id', 'o-7'], { stdin })).toMatchObject({ exitCode: 0 });
    for (const [args, input] of [
      [[...add, '--open-id', 'o-8'], stdin],
      [add, JSON.stringify({ accessToken: 'act.1' })],
    ] as const) {
      const refused = { exitCode: 2, answer: { error: { problems: [{ path: '--open-id' }] } } };
      expect(await run([...args], { stdin: input })).toMatchObject(refused);
    }
  });
});

describe('accounts list', () => {
  it('names accounts of another app on standard error, and not its whole client key', async () => {
    const { run, addUser, simulator } = await startWorld();
    await addUser('acme');
    expect(await run(['accounts', 'list'])).toMatchObject({
      answer: { accounts: [{ clientKey: `${simulator.clientKey.slice(0, 4)}…`, otherApp: false }] },
      stderr: '',
    });
    const listed = await run(['accounts', 'list'], { TIKTOK_CLIENT_KEY: 'sb34-another-app' });
    expect(listed).toMatchObject({ exitCode: 0, answer: { accounts: [{ account: 'acme', otherApp: true }] } });
    expect(listed.stderr).toMatch(
      /^warning: account "acme" was connected by another app \(client key .{4}…\): connect it again or restore the previous TIKTOK_CLIENT_KEY\n$/,
    );
    expect(listed.stdout + listed.stderr).not.toContain(simulator.clientKey);
  });
});

describe('accounts connect', () => {
  const PUBLIC_BASE_URL = 'https://a.example';
  const inHours = (time: unknown) => (Date.parse(String(time)) - Date.now()) / 3_600_000;

  it('prints a link for a day', async () => {
    const { run } = await startWorld();
    const { exitCode, answer } = await run(['accounts', 'connect', 'acme'], { PUBLIC_BASE_URL });
    expect([exitCode, answer]).toEqual([
      0,
      {
        ...{ account: 'acme', returnTo: null, expiresAt: expect.any(String) },
        url: expect.stringMatching(/^https:\/\/a\.example\/connect\/tiktok\?link=[\w-]{43}$/),
      },
    ]);
    expect(inHours(answer.expiresAt)).toBeGreaterThan(23.5);
    expect(inHours(answer.expiresAt)).toBeLessThanOrEqual(24);
  });

  it('prints a link for the time and the app that it is told', async () => {
    const { run } = await startWorld();
    const settings = { PUBLIC_BASE_URL, CONNECT_RETURN_ORIGINS: 'https://app.example.com' };
    const returnTo = 'https://app.example.com/done';
    const connect = ['accounts', 'connect', 'acme'];
    const { answer } = await run([...connect, '--return-to', returnTo, '--expires-in', '2h30m'], settings);
    expect(answer).toMatchObject({ returnTo });
    expect(inHours(answer.expiresAt)).toBeGreaterThan(2);
    expect(inHours(answer.expiresAt)).toBeLessThanOrEqual(2.5);
    expect(await run([...connect, '--return-to', 'https://evil.example'], settings)).toMatchObject({
      ...{ exitCode: 2, answer: { error: { problems: [{ path: '--return-to' }] } } },
    });
    expect((await run([...connect, '--expires-in', '8d'], settings)).stdout).toContain('seven days');
    expect((await run([...connect, '--expires-in', 'soon'], settings)).stdout).toContain('such as 30m, 12h or 7d');
  });

  it.each([
    [{ PORT: '0' }, 3, 'PUBLIC_BASE_URL'],
    [{ HOST: '0.0.0.0', API_KEYS: 'key-of-this-test' }, 3, 'PUBLIC_BASE_URL'],
    [{ TIKTOK_CLIENT_KEY: '', TIKTOK_CLIENT_SECRET: '' }, 3, 'TIKTOK_CLIENT_KEY'],
  ])('says what is missing with %o', async (settings, exitCode, named) => {
    const { run } = await startWorld();
    const refused = await run(['accounts', 'connect', 'acme'], settings);
    expect(refused).toMatchObject({ exitCode, stdout: expect.stringContaining(named) });
  });

  it('refuses a name that can be none', async () => {
    const { run } = await startWorld();
    expect((await run(['accounts', 'connect', ''])).exitCode).toBe(2);
  });
});

describe('accounts pause and resume', () => {
  it('hold an account back and end that, by name and by open_id', async () => {
    const { run, addUser } = await startWorld();
    await addUser('acme');
    expect(await run(['accounts', 'pause', 'acme'])).toMatchObject({ exitCode: 0, answer: { status: 'paused' } });
    expect((await run(['accounts', 'list'])).answer).toMatchObject({ accounts: [{ status: 'paused' }] });
    expect(await run(['accounts', 'resume', 'open-id-acme'])).toMatchObject({
      exitCode: 0,
      answer: { account: 'acme', status: 'active' },
    });
    for (const command of ['pause', 'resume']) {
      expect(await run(['accounts', command, 'nobody'])).toMatchObject({
        exitCode: 2,
        answer: { error: { code: 'INPUT_ACCOUNT_UNKNOWN' } },
      });
    }
  });
});

describe('accounts resume', () => {
  it('lets as many jobs of the account go on as UPLOADS_PER_ACCOUNT of the service says', async () => {
    const { env, run, addUser } = await startWorld();
    await addUser('acme');
    const { redis, keys } = await connect(env.QUEUE_PREFIX);
    const lanes = createLanes({ redis, keys, clock: Date });
    for (const id of ['one', 'two', 'three']) await lanes.enter({ id, account: 'acme', priority: 0, since: 0 });
    expect(await lanes.admitted('acme')).toEqual(['one']);
    await run(['accounts', 'resume', 'acme']);
    expect(await lanes.admitted('acme')).toEqual(['one']);
    await lanes.publishLimit(2);
    await run(['accounts', 'resume', 'acme'], { UPLOADS_PER_ACCOUNT: '3' });
    expect(await lanes.admitted('acme')).toHaveLength(2);
  });
});

describe('accounts remove', () => {
  it('ends the access at TikTok, and leaves the other accounts alone', async () => {
    const { simulator, run, addUser } = await startWorld();
    await addUser('acme');
    await addUser('beta');
    expect(await run(['accounts', 'remove', 'beta'])).toMatchObject({
      exitCode: 0,
      answer: { removed: 'beta', revoked: true },
      stderr: '',
    });
    const revokes = simulator.journal.entries.filter(({ endpoint }) => endpoint === 'revoke');
    expect(revokes).toMatchObject([{ openId: 'open-id-beta', code: 'ok' }]);
    expect((await run(['accounts', 'list'])).answer).toMatchObject({ accounts: [{ account: 'acme' }] });
  });

  it('ends it with a new token where the stored one is over', async () => {
    const { simulator, env, run, add } = await startWorld();
    const { refreshToken } = simulator.addAccount({ openId: 'o-1' });
    await add('acme', 'o-1', { accessToken: 'act.over', expiresIn: 1, refreshToken });
    const { redis, keys } = await connect(env.QUEUE_PREFIX);
    await redis.hset(keys.account('acme'), 'accessTokenExpiresAt', Date.now() - 1);
    expect(await run(['accounts', 'remove', 'acme'])).toMatchObject({ answer: { revoked: true } });
    expect(simulator.journal.entries.map(({ endpoint, code }) => `${endpoint} ${code}`)).toEqual([
      'token ok',
      'revoke ok',
    ]);
  });

  it('forgets the account although TikTok could not be told, and says so', async () => {
    const { simulator, run, addUser } = await startWorld();
    for (const account of ['refused', 'unset', 'unreadable', 'away']) await addUser(account);
    simulator.revokeGrant('open-id-refused');
    const refused = await run(['accounts', 'remove', 'refused']);
    const unset = await run(['accounts', 'remove', 'unset'], { TIKTOK_CLIENT_KEY: '', TIKTOK_CLIENT_SECRET: '' });
    const unreadable = await run(['accounts', 'remove', 'unreadable'], { ENCRYPTION_KEYS: newKey });
    const away = await run(['accounts', 'remove', 'away'], { TIKTOK_API_BASE_URL: 'http://127.0.0.1:9' });
    for (const answered of [refused, unset, unreadable, away]) {
      expect(answered).toMatchObject({ exitCode: 0, answer: { revoked: false, problem: expect.stringMatching(/\w/) } });
      expect(answered.stderr).toContain('The access was not revoked at TikTok');
    }
    expect(unreadable.answer.problem).toContain('ENCRYPTION_KEYS');
    expect((await run(['accounts', 'list'])).answer).toEqual({ accounts: [] });
  });

  it('leaves TikTok alone with --keep-grant', async () => {
    const { simulator, run, addUser } = await startWorld();
    await addUser('acme');
    const removed = await run(['accounts', 'remove', 'acme', '--keep-grant']);
    expect(removed).toMatchObject({ exitCode: 0, answer: { removed: 'acme', revoked: false }, stderr: '' });
    expect(simulator.journal.entries).toEqual([]);
  });
});

describe('accounts rekey', () => {
  it('lets the older key be dropped, and names what it cannot open', async () => {
    const { run, addUser } = await startWorld();
    await addUser('acme');
    await addUser('beta');
    const rekeyed = await run(['accounts', 'rekey'], { ENCRYPTION_KEYS: `${newKey},${key}` });
    expect(rekeyed).toMatchObject({ exitCode: 0, answer: { resealed: ['acme', 'beta'], currentCount: 0 } });
    const withoutOld = { ENCRYPTION_KEYS: newKey };
    expect(await run(['accounts', 'rekey'], withoutOld)).toMatchObject({ exitCode: 0, answer: { currentCount: 2 } });
    expect(await run(['accounts', 'remove', 'acme'], withoutOld)).toMatchObject({ answer: { revoked: true } });
    await addUser('gamma');
    const partly = await run(['accounts', 'rekey'], withoutOld);
    expect(partly).toMatchObject({
      exitCode: 3,
      answer: { unreadable: [{ account: 'gamma', code: 'CONFIG_KEY_UNKNOWN' }], currentCount: 1 },
    });
  });

  it('ends the form of sealed values that services of versions before 0.2.0 need', async () => {
    const { env, run, addUser } = await startWorld();
    const { redis, keys } = await connect(env.QUEUE_PREFIX);
    const secrets = createRequestSecrets([Buffer.from(key, 'base64')]);
    await redis.set(keys.sealingKeyBefore02, secrets.publicKeys.before02);
    const sealedToken = () => redis.hget(keys.account('acme'), 'accessToken');

    await addUser('acme');
    expect(await sealedToken()).toMatch(/^v1\./);
    expect(await run(['accounts', 'rekey'])).toMatchObject({ exitCode: 0, answer: { resealed: ['acme'] } });
    expect(await sealedToken()).toMatch(/^eyJ/);
    expect(await redis.exists(keys.sealingKeyBefore02)).toBe(0);
    expect(await publishedSealingKey(redis, keys, undefined)).toEqual(secrets.publicKeys.jwk);
    expect(await run(['accounts', 'remove', 'acme'])).toMatchObject({ answer: { revoked: true } });
  });
});
