import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { expect, type TestContext } from 'vitest';
import { freePort } from '../../src/embedded-redis/redis-process.ts';
import { startTopology } from '../chaos/topologies/start-topology.ts';
import { KEY_PREFIX, type Topology } from '../chaos/topologies/topology.ts';
import { pathInRepository } from '../support/build.ts';
import { makeCertificate } from '../support/certificates.ts';
import { eventually } from '../support/eventually.ts';
import { openProxy } from '../support/redis-proxy/redis-proxy.ts';
import type { ServerProgram } from '../support/redis-server.ts';
import { serverOfTest, startReplicated, urlOf } from '../support/replicated-redis.ts';
import type { Way } from './job-suite.ts';

type Test = Pick<TestContext, 'onTestFinished'>;

/** As docs/deployment.md asks for. */
const ADVISED = ['appendonly yes', 'hz 100', 'maxmemory-policy noeviction', 'hash-max-listpack-value 1024'];

/** Past everything, with all rights. */
function operatorOf({ onTestFinished }: Test, port: number, username?: string): Redis {
  const operator = new Redis({ port, ...(username !== undefined && { username, password: 'any' }) });
  onTestFinished(() => operator.disconnect());
  return operator;
}

/** One server. */
export async function single(test: Test, program?: ServerProgram): Promise<Way> {
  return { settings: { REDIS_URL: urlOf(await serverOfTest(test, ADVISED, [], program)) } };
}

/** A master, two replicas and three Sentinels; another master takes over while jobs run. */
export async function sentinel(test: Test, program?: ServerProgram): Promise<Way> {
  const topology = await topologyOfTest(test, 'sentinel', program);
  const REDIS_SENTINELS = addressesOf(topology.sentinels);
  return { settings: { REDIS_SENTINELS, REDIS_SENTINEL_NAME: 'main' }, mishap: failover(topology) };
}

/** Three masters with a replica each; the replica of the one with our keys takes over while jobs run. */
export async function cluster(test: Test, program?: ServerProgram) {
  const topology = await topologyOfTest(test, 'cluster', program);
  return {
    settings: { REDIS_CLUSTER_NODES: addressesOf(topology.nodes), QUEUE_PREFIX: KEY_PREFIX },
    mishap: failover(topology),
    /** URL of a node that does not have our keys. */
    async elsewhere(): Promise<string> {
      const owner = await topology.master();
      const other = topology.nodes.find((node) => node !== owner) ?? owner;
      return other.proxy.url;
    },
  };
}

async function topologyOfTest(
  { onTestFinished }: Test,
  kind: 'sentinel' | 'cluster',
  program: ServerProgram | undefined,
): Promise<Topology> {
  const folder = await mkdtemp(join(tmpdir(), 'topology-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const topology = await startTopology(kind, folder, program);
  onTestFinished(() => topology.close());
  return topology;
}

const addressesOf = (nodes: Topology['nodes']) => nodes.map(({ proxy }) => `127.0.0.1:${proxy.port}`).join(',');

const failover = (topology: Topology) => async () => {
  await topology.failOver('plain');
  await eventually(topology.assertHealthy, { intervalMs: 100 });
};

/** TLS only with a certificate of a private authority, and for clients that have one, too. */
export async function encrypted(test: Test): Promise<Way> {
  const folder = await mkdtemp(join(tmpdir(), 'redis-tls-'));
  test.onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await makeCertificate(folder, 'redis', ['DNS:localhost', 'IP:127.0.0.1']);
  const [ca, cert, key] = ['ca.pem', 'redis.pem', 'redis.key'].map((name) => join(folder, name));
  const tlsPort = await freePort();
  const files = [`tls-ca-cert-file ${ca}`, `tls-cert-file ${cert}`, `tls-key-file ${key}`];
  await serverOfTest(test, [...ADVISED, `tls-port ${tlsPort}`, ...files, 'tls-auth-clients yes']);
  const trust = { REDIS_TLS_CA_FILE: `${ca}`, REDIS_TLS_CERT_FILE: `${cert}`, REDIS_TLS_KEY_FILE: `${key}` };
  return { settings: { REDIS_URL: `rediss://localhost:${tlsPort}`, ...trust } };
}

/** Users with exactly the rights that docs/deployment.md gives them, who must not have missed one. */
export async function leastRights(test: Test): Promise<Way> {
  const docs = await readFile(pathInRepository('docs/deployment.md'), 'utf8');
  const server = await serverOfTest(test, [...ADVISED, 'user operator on nopass ~* &* +@all']);
  const operator = operatorOf(test, server.port, 'operator');
  for (const user of ['publisher', 'enqueuer']) {
    const [, rules = ''] = new RegExp(`^ACL SETUSER ${user} (on >password .*)$`, 'm').exec(docs) ?? [];
    await operator.call('ACL', 'SETUSER', user, ...rules.split(' '));
  }
  await operator.call('ACL', 'SETUSER', 'default', 'off');
  const as = (user: string) => ({ REDIS_URL: `redis://${user}:password@127.0.0.1:${server.port}` });
  return {
    settings: as('publisher'),
    enqueuer: as('enqueuer'),
    // Settings of the server are asked for where it tells them.
    verify: async () => expect((await refused(operator)).filter((what) => what !== 'config|get')).toEqual([]),
  };
}

/** What a user was not allowed to do. */
async function refused(operator: Redis): Promise<string[]> {
  const entries = (await operator.call('ACL', 'LOG')) as string[][];
  return entries.map((entry) => entry[entry.indexOf('object') + 1] ?? '');
}

/** Another database than 0, beside one with the same keys that nobody may touch. */
export async function numberedDatabase(test: Test): Promise<Way> {
  const server = await serverOfTest(test, ADVISED);
  const operator = operatorOf(test, server.port);
  return {
    settings: { REDIS_URL: `${urlOf(server)}/5` },
    verify: async () => expect(await operator.dbsize()).toBe(0),
  };
}

/** As hosted ones are: neither CONFIG nor CLIENT, and connections that lie idle for a second are closed. */
export async function hosted(test: Test): Promise<Way> {
  const server = await serverOfTest(test, [
    ...[...ADVISED, 'timeout 1', 'user operator on nopass ~* &* +@all'],
    'user app on >pw ~* &* +@all -@dangerous +info -config -client',
  ]);
  const operator = operatorOf(test, server.port, 'operator');
  await operator.call('ACL', 'SETUSER', 'default', 'off');
  return { settings: { REDIS_URL: `redis://app:pw@127.0.0.1:${server.port}` } };
}

/**
 * An address that leads to another server after a failover, as hosted ones do it: the old master refuses writes and keeps
 * its connections, new ones go to the new master.
 */
export async function movedAddress(test: Test): Promise<Way> {
  const { master, replicas } = await startReplicated(test, 1);
  const replica = replicas[0] ?? master;
  const proxy = await openProxy(master.port);
  test.onTestFinished(() => proxy.close());
  const operator = operatorOf(test, master.port);
  for (const { port } of [master, replica]) {
    const server = operatorOf(test, port);
    for (const [name = '', value = ''] of ADVISED.map((line) => line.split(' ')))
      await server.config('SET', name, value);
  }
  return {
    settings: { REDIS_URL: proxy.url },
    async mishap() {
      await operator.call('FAILOVER', 'TO', '127.0.0.1', replica.port);
      await eventually(async () => expect(await operator.info('replication')).toContain('role:slave'));
      proxy.retarget(replica.port);
    },
  };
}
