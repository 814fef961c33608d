import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, it, vi } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { firstLine } from '../../support/first-line.ts';
import { type ProxiedRedis, reloadSlowly, startProxiedRedis } from '../../support/proxied-redis.ts';
import { testRedisUrl, testRedisUrlAt } from '../../support/redis.ts';
import { openProxy } from '../../support/redis-proxy/redis-proxy.ts';
import { endCommands, freshEnvironment, startCommand } from '../cli/command.ts';

const TEN_MINUTES_MS = '600000';
/** Beyond every test's own limit: who waits for work that nobody has fails. */
const PATIENT = { SHUTDOWN_TIMEOUT_MS: TEN_MINUTES_MS, LOG_LEVEL: 'info' };
const distOf = (path: string) => JSON.stringify(new URL(`../../../dist/${path}`, import.meta.url).href);

/** Another app with our workers and a publisher. Nothing but an open handle can keep it once it has closed them. */
const APP = `
import { createPublisher } from ${distOf('producers/index.js')};
import { createWorkers } from ${distOf('workers/index.js')};
const publisher = createPublisher();
await publisher.list();
let ask = () => {};
const asked = new Promise((resolve) => { ask = resolve; });
const workers = await createWorkers({ tokens: { async accessToken() { ask(); await new Promise(() => {}); } } });
if (process.env.WITH_JOB) {
  await publisher.enqueue({ account: 'acme', mode: 'inbox', media: { type: 'pull', url: 'https://videos.example/a.mp4' } });
  await asked;
}
process.once('SIGTERM', () => Promise.all([workers.close(), publisher.close()]));
console.log('up');
`;

const HARMS: readonly (readonly [what: string, harm: (at: ProxiedRedis) => unknown])[] = [
  ['says nothing any more', ({ proxy }) => proxy.break('black_hole')],
  ['is gone', ({ proxy }) => proxy.break('refuse')],
  ['is frozen', ({ pid }) => process.kill(pid, 'SIGSTOP')],
  ['has become a replica', ({ operator }) => operator.replicaof('127.0.0.1', 9)],
  ['forbids every command', ({ operator }) => operator.acl('SETUSER', 'default', 'nocommands')],
  ['reads its data again', reloadSlowly],
];
afterAll(endCommands);
vi.setConfig({ maxConcurrency: 6 });

describe.concurrent('SIGTERM', () => {
  it.for(HARMS)('ends start when Redis %s', async ([, harm], test) => {
    const { expect } = test;
    const redis = await startProxiedRedis(test);
    const command = startCommand(['start'], freshEnvironment({ ...PATIENT, REDIS_URL: redis.proxy.url }));
    await command.printed('Publishing.');
    await eventually(async () => expect(await redis.operator.info('clients')).toContain('blocked_clients:4'));
    await harm(redis);
    command.kill('SIGTERM');
    expect(await command.ended).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('"msg":"stopping"') });
  });

  it.for(['worker', 'server'])('ends %s when Redis says nothing any more', async (name, test) => {
    const proxy = await openProxy(Number(new URL(testRedisUrl()).port));
    test.onTestFinished(() => proxy.close());
    const command = startCommand([name], freshEnvironment({ ...PATIENT, REDIS_URL: testRedisUrlAt(proxy.port) }));
    await command.printed('Press Ctrl-C to stop');
    proxy.break('black_hole');
    command.kill('SIGTERM');
    test.expect((await command.ended).exitCode).toBe(0);
  });

  const idle = PATIENT;
  const busy = { SHUTDOWN_TIMEOUT_MS: '500', WITH_JOB: 'yes' };
  it.for([
    { what: 'says nothing any more while nothing runs', kind: 'black_hole', settings: idle },
    { what: 'is gone while nothing runs', kind: 'refuse', settings: idle },
    { what: 'says nothing any more in the middle of a job', kind: 'black_hole', settings: busy },
  ] as const)(
    'ends an app that closes workers and publisher when Redis $what',
    async ({ kind, settings }, { expect, onTestFinished }) => {
      const proxy = await openProxy(Number(new URL(testRedisUrl()).port));
      onTestFinished(() => proxy.close());
      const home = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '' };
      const app = spawn(process.execPath, ['--input-type=module', '-e', APP], {
        env: {
          ...home,
          ...freshEnvironment({ ...settings, REDIS_URL: testRedisUrlAt(proxy.port), LOG_LEVEL: 'silent' }),
        },
        cwd: fileURLToPath(new URL('.', import.meta.url)),
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      onTestFinished(() => void app.kill('SIGKILL'));
      const ended = once(app, 'exit');
      await firstLine(app);
      proxy.break(kind);
      app.kill('SIGTERM');
      expect(await ended).toEqual([0, null]);
    },
  );
});
