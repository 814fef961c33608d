import { describe, expect, it, type TestContext } from 'vitest';
import type { RedisTarget } from '../../../src/config/redis-config.ts';
import type { Confirmation } from '../../../src/redis/confirmation.ts';
import { createKeys } from '../../../src/redis/keys.ts';
import { createSentinelCheck, openConfirmation } from '../../../src/redis/open-confirmation.ts';
import { eventually } from '../../support/eventually.ts';
import { freshPrefix } from '../../support/redis.ts';
import { openProxy } from '../../support/redis-proxy/redis-proxy.ts';
import { clientOfTest, serverOfTest, startReplicated, startSentinels, urlOf } from '../../support/replicated-redis.ts';

const keys = createKeys(freshPrefix());
const key = keys.job('a');

function confirmationOf(test: TestContext, target: RedisTarget, replicas?: number): Confirmation {
  const confirmation = openConfirmation(target, { keys, replicas });
  test.onTestFinished(() => confirmation.close());
  return confirmation;
}

// Side by side, since each waits for a confirmation to fail or a failover to end.
describe.concurrent('a confirmation', () => {
  it('says of each write whether it is there once a replica has it', async (test) => {
    const { master } = await startReplicated(test, 1);
    const target = { kind: 'url', url: urlOf(master) } as const;
    const client = await clientOfTest(test, target);
    const confirmation = confirmationOf(test, target, 1);
    await client.hset(key, { state: 'queued', revision: 7 });
    const outcomes = await Promise.all([
      confirmation.confirm([{ key, field: 'state', is: 'queued' }]),
      confirmation.confirm([{ key, field: 'state', is: 'published' }]),
      confirmation.confirm([
        { key, field: 'revision', atLeast: 6 },
        { key, field: 'nothing', is: '' },
      ]),
      confirmation.confirm([{ key, field: 'revision', atLeast: 8 }]),
      confirmation.confirm([{ key, field: 'nothing', atLeast: 0 }]),
      confirmation.confirm([]),
    ]);
    expect(outcomes).toEqual(['confirmed', 'missing', 'confirmed', 'missing', 'missing', 'confirmed']);
  });

  it('fails while no replica answers, and holds again when one does', async (test) => {
    const { master, replicas } = await startReplicated(test, 1);
    const confirmation = confirmationOf(test, { kind: 'url', url: urlOf(master) }, 1);
    replicas[0]?.signal('SIGSTOP');
    await expect(confirmation.confirm([])).rejects.toMatchObject({ code: 'REDIS_NOT_REPLICATED' });
    replicas[0]?.signal('SIGCONT');
    expect(await eventually(() => confirmation.confirm([]))).toBe('confirmed');
  });

  it('takes tens of thousands of writes at once', async (test) => {
    const { master } = await startReplicated(test, 1);
    const facts = Array.from({ length: 20_000 }, (_, number) => ({ key: keys.job(`${number}`), field: 'id', is: '' }));
    expect(await confirmationOf(test, { kind: 'url', url: urlOf(master) }, 1).confirm(facts)).toBe('confirmed');
  });

  it('needs as many replicas as it is told', async (test) => {
    const { master } = await startReplicated(test, 1);
    const target = { kind: 'url', url: urlOf(master) } as const;
    expect(await confirmationOf(test, target).confirm([])).toBe('confirmed');
    const ofTwo = confirmationOf(test, target, 2);
    const refusal = { code: 'REDIS_NOT_REPLICATED', message: expect.stringContaining('1 of 2 replicas') };
    // On a busy machine the last look may have been too slow to count them.
    await eventually(() => expect(ofTwo.confirm([])).rejects.toMatchObject(refusal));
  });

  it('asks the master of its slot in a cluster', async (test) => {
    const nodes = await Promise.all(
      [0, 1, 2].map(() =>
        serverOfTest(test, ['cluster-enabled yes', 'cluster-announce-ip 127.0.0.1', 'cluster-node-timeout 2000']),
      ),
    );
    const [first, second, replica] = await Promise.all(
      nodes.map((node) => clientOfTest(test, { kind: 'url', url: urlOf(node) })),
    );
    const [firstNode, secondNode] = nodes;
    for (const node of [second, replica]) {
      await node?.call('CLUSTER', 'MEET', '127.0.0.1', String(firstNode?.port), String(firstNode?.busPort));
    }
    await first?.call('CLUSTER', 'ADDSLOTSRANGE', '0', '8191');
    await second?.call('CLUSTER', 'ADDSLOTSRANGE', '8192', '16383');
    const slot = Number(await first?.call('CLUSTER', 'KEYSLOT', key));
    const owner = slot < 8192 ? first : second;
    const ownerId = String(await owner?.call('CLUSTER', 'MYID'));
    await eventually(() => replica?.call('CLUSTER', 'REPLICATE', ownerId));
    for (const node of [first, second, replica])
      await eventually(async () => String(await node?.call('CLUSTER', 'INFO')).includes('cluster_state:ok'));
    const target: RedisTarget = {
      kind: 'cluster',
      nodes: [{ host: '127.0.0.1', port: secondNode?.port ?? 0 }],
      login: { username: undefined, password: undefined, tls: false },
    };
    const client = await clientOfTest(test, target);
    await client.hset(key, { state: 'queued' });
    const confirmation = confirmationOf(test, target);
    expect(await eventually(() => confirmation.confirm([{ key, field: 'state', is: 'queued' }]))).toBe('confirmed');
    expect(await confirmation.confirm([{ key, field: 'state', is: 'failed' }])).toBe('missing');
  });
});

describe.concurrent('sentinels', () => {
  it('are asked on new connections once the old ones have fallen silent', async (test) => {
    const { master } = await startReplicated(test, 1);
    const { target, sentinels } = await startSentinels(test, master, { replicas: 1 });
    const proxies = await Promise.all(sentinels.map(({ port }) => openProxy(port)));
    const nodes = proxies.map(({ port }) => ({ host: '127.0.0.1', port }));
    const check = createSentinelCheck({ ...target, nodes });
    test.onTestFinished(async () => {
      await check.close();
      await Promise.all(proxies.map((proxy) => proxy.close()));
    });
    const client = await clientOfTest(test, { kind: 'url', url: urlOf(master) });
    const runId = /^run_id:(\w+)/m.exec(await client.info('server'))?.[1] ?? '';
    await check.check(runId);
    for (const proxy of proxies) proxy.break('strand');
    await expect(check.check(runId)).rejects.toThrow('0 of 3 sentinels answered');
    await eventually(() => check.check(runId));
  });

  it('speak against a master that was frozen and wakes up after another one was promoted', async (test) => {
    const { master, replicas } = await startReplicated(test, 2);
    const { target } = await startSentinels(test, master, { replicas: 2 });
    const check = createSentinelCheck(target);
    test.onTestFinished(() => check.close());
    const confirmation = confirmationOf(test, target);
    const client = await clientOfTest(test, { kind: 'url', url: urlOf(master) });
    const oldRunId = /^run_id:(\w+)/m.exec(await client.info('server'))?.[1] ?? '';
    await check.check(oldRunId);
    expect(await confirmation.confirm([])).toBe('confirmed');
    await client.hset(key, { state: 'old' });

    master.signal('SIGSTOP');
    const viaSentinels = await eventually(
      async () => {
        await check.check(oldRunId).then(
          () => Promise.reject(new Error('nobody speaks against it yet')),
          () => undefined,
        );
        const promoted = await Promise.all(
          replicas.map(async (replica) => {
            const asked = await clientOfTest(test, { kind: 'url', url: urlOf(replica) });
            return (await asked.info('replication')).includes('role:master') ? asked : undefined;
          }),
        );
        const found = promoted.find((each) => each !== undefined);
        if (found === undefined) throw new Error('nobody is promoted yet');
        return found;
      },
      { timeoutMs: 90_000 },
    );
    master.signal('SIGCONT');
    await expect(check.check(oldRunId)).rejects.toThrow();
    // What only the old master has is found missing, and what the new one has is confirmed.
    await viaSentinels.hset(key, { state: 'new' });
    expect(await eventually(() => confirmation.confirm([{ key, field: 'state', is: 'old' }]))).toBe('missing');
    expect(await confirmation.confirm([{ key, field: 'state', is: 'new' }])).toBe('confirmed');
  });
});
