import { Webhook } from 'standardwebhooks';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { newRecord } from '../../../src/ledger/change.ts';
import { createLedger } from '../../../src/ledger/ledger.ts';
import { closeRedis, connectRedis } from '../../../src/redis/connections.ts';
import { createKeys } from '../../../src/redis/keys.ts';
import type { RedisClient } from '../../../src/redis/lua-script.ts';
import { type CallbackReceiver, startCallbackReceiver } from '../../support/callback-receiver.ts';
import { eventually } from '../../support/eventually.ts';
import { testRedisUrl } from '../../support/redis.ts';
import { answerOf, endCommands, freshEnvironment, runCommand, startCommand } from '../cli/command.ts';

/** Events that a killed worker had put into a host's line come back within two minutes. */
const TAKEN_OVER = { timeoutMs: 180_000, intervalMs: 200 };
const TEST_TIMEOUT_MS = 240_000;
let redis: RedisClient;
let receiver: CallbackReceiver;

beforeAll(async () => {
  redis = await connectRedis({ kind: 'url', url: testRedisUrl() }, 'ledger');
}, 60_000);
afterEach(async () => {
  await endCommands();
  await receiver.close();
});
afterAll(() => closeRedis(redis));

/** A deployment whose events nobody delivers yet. */
function deployment() {
  const env = freshEnvironment({ OUTBOUND_ALLOW_HOSTS: '127.0.0.1' });
  const keys = createKeys(env.QUEUE_PREFIX ?? '');
  const ledger = createLedger({ redis, keys, clock: Date });
  return {
    env,
    keys,
    startWorker: () => startCommand(['worker', '--only', 'events'], env),
    async createJob(id: string): Promise<void> {
      const media = { type: 'file', path: '/a.mp4' } as const;
      const request = { account: 'acme', mode: 'inbox', media, callbackUrl: receiver.url } as const;
      await ledger.create(newRecord({ id, request, now: Date.now() }), { event: 'queued' });
    },
    async reportStart(id: string): Promise<void> {
      const record = await ledger.read(id);
      if (record !== undefined)
        await ledger.annotate(record, { event: 'publish.started', cause: { event: 'handed_back' } });
    },
  };
}

describe('a worker that is killed', () => {
  it('in the middle of a delivery loses no event and keeps their order', async () => {
    receiver = await startCallbackReceiver(() => undefined);
    const { createJob, reportStart, startWorker, keys } = deployment();
    await createJob('j');
    await reportStart('j');
    expect(await redis.xlen(keys.callbackOutbox)).toBe(2);
    const first = startWorker();
    await receiver.arrived(1);
    first.kill('SIGKILL');
    await first.ended;
    receiver.answerWith((response) => void response.writeHead(204).end());
    startWorker();
    await receiver.arrived(3);
    expect(receiver.received.map(({ id }) => id)).toEqual(['j-1-1', 'j-1-1', 'j-2-1']);
  });

  it(
    'again and again, at any point between the change of a job and its callback, loses none of many',
    async () => {
      const rounds = 3;
      const perRound = 60;
      receiver = await startCallbackReceiver();
      const { createJob, startWorker, keys } = deployment();
      const ids: string[] = [];
      for (let round = 0; round < rounds; round += 1) {
        const worker = startWorker();
        await worker.printed('Workers run');
        const before = receiver.received.length;
        const made = Array.from({ length: perRound }, (_, index) => `round-${round}-${index}`);
        ids.push(...made);
        const creating = Promise.all(made.map(createJob));
        await receiver.arrived(before + 1 + round * 5);
        worker.kill('SIGKILL');
        await Promise.all([creating, worker.ended]);
      }
      startWorker();
      await eventually(() => {
        const arrived = new Set(receiver.received.map(({ id }) => id));
        const missing = ids.filter((id) => !arrived.has(`${id}-1-1`));
        if (missing.length > 0) throw new Error(`${missing.length} of ${ids.length} are missing`);
      }, TAKEN_OVER);
      await eventually(async () => (await redis.xlen(keys.callbackOutbox)) === 0);
    },
    TEST_TIMEOUT_MS,
  );
});

describe('the command', () => {
  it('prints the secret, shows deliveries and replays them', async () => {
    receiver = await startCallbackReceiver();
    const { env, createJob, startWorker } = deployment();
    const secret = await runCommand(['callbacks', 'secret'], env);
    expect(secret).toMatchObject({ exitCode: 0 });
    const overview = JSON.parse((await answerOf(['callbacks', 'list', '--json'], env)).stdout);
    expect(overview).toEqual({
      counts: { waiting: 0, active: 0, delayed: 0, failed: 0 },
      paused: [],
      disabled: [],
      failed: [],
    });
    startWorker();
    await createJob('j');
    await receiver.arrived(1);
    const [callback] = receiver.received;
    const headers = Object.fromEntries(
      Object.entries(callback?.headers ?? {}).map(([name, text]) => [name, String(text)]),
    );
    expect(new Webhook(secret.stdout.trim()).verify(callback?.body ?? '', headers)).toMatchObject({ subject: 'j' });
    await eventually(async () => {
      const { stdout } = await answerOf(['callbacks', 'list', 'j'], env);
      expect(stdout).toMatch(/j-1-1 +publish\.queued +delivered +204/);
    });
    const replay = await answerOf(['callbacks', 'replay', 'j-1-1'], env);
    expect(replay).toMatchObject({ exitCode: 0, stdout: '1 event was queued for delivery.\n' });
    await receiver.arrived(2);
    const unknown = await answerOf(['callbacks', 'replay', 'nothing'], env);
    expect(unknown).toMatchObject({ exitCode: 2 });
    expect(unknown.stderr).toContain('CALLBACK_NOT_FOUND');
    expect((await answerOf(['callbacks', 'replay'], env)).exitCode).toBe(2);
  });
});
