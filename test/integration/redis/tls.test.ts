import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { RedisTarget, RedisTlsFiles } from '../../../src/config/redis-config.ts';
import { freePort } from '../../../src/embedded-redis/redis-process.ts';
import { closeRedis, connectRedis } from '../../../src/redis/connections.ts';
import { makeCertificate } from '../../support/certificates.ts';
import { eventually } from '../../support/eventually.ts';
import { startRedisServer } from '../../support/redis-server.ts';

let folder: string;
const file = (name: string) => join(folder, name);

/** An authority of our own, and a certificate of it for 127.0.0.1 and localhost. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'redis-tls-'));
  await makeCertificate(folder, 'redis', ['DNS:localhost', 'IP:127.0.0.1']);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A server that speaks TLS on a second port. */
async function startTlsServer(lines: readonly string[] = [], args: readonly string[] = []) {
  const tlsPort = await freePort();
  const files = [`tls-cert-file ${file('redis.pem')}`, `tls-key-file ${file('redis.key')}`];
  const authority = [`tls-ca-cert-file ${file('ca.pem')}`];
  const server = await startRedisServer(
    [`tls-port ${tlsPort}`, ...files, ...authority, 'tls-auth-clients no', ...lines],
    args,
  );
  onTestFinished(() => server.close());
  return { port: server.port, tlsPort };
}

async function ping(target: RedisTarget): Promise<string> {
  const client = await connectRedis(target, 'producer');
  try {
    return await client.ping();
  } finally {
    await closeRedis(client);
  }
}

const login = { username: undefined, password: undefined, tls: true };
const localhost = (port: number) => [{ host: '127.0.0.1', port }];
const trusted = (): RedisTlsFiles => ({ caFile: file('ca.pem') });

describe('an encrypted Redis with a certificate of a private authority', () => {
  it('is refused for good unless the authority is named, with the setting that names it', async () => {
    const { tlsPort } = await startTlsServer();
    const target = { kind: 'url', url: `rediss://127.0.0.1:${tlsPort}` } as const;
    const refusal = await ping(target).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ why: 'tls', passes: false, advice: expect.stringContaining('REDIS_TLS_CA_FILE') });
    expect(await ping({ ...target, tls: trusted() })).toBe('PONG');
    expect(await ping({ ...target, tls: { insecure: true } })).toBe('PONG');
  });

  it('is not blamed for a setting that names a file of something else', async () => {
    const target = { kind: 'url', url: 'rediss://127.0.0.1:1' } as const;
    for (const [setting, tls, what] of [
      ['REDIS_TLS_CA_FILE', { caFile: file('ca.key') }, 'no certificate'],
      ['REDIS_TLS_CERT_FILE', { certFile: file('redis.key'), keyFile: file('redis.key') }, 'no certificate'],
      ['REDIS_TLS_KEY_FILE', { certFile: file('redis.pem'), keyFile: file('redis.pem') }, 'no private key'],
    ] as const) {
      const problems = [{ path: setting, message: expect.stringContaining(what) }];
      await expect(ping({ ...target, tls })).rejects.toMatchObject({ code: 'CONFIG_INVALID', details: { problems } });
    }
  });

  it('gets the client certificate that it asks for', async () => {
    const { tlsPort } = await startTlsServer(['tls-auth-clients yes']);
    const target = { kind: 'url', url: `rediss://127.0.0.1:${tlsPort}` } as const;
    await expect(ping({ ...target, tls: trusted() })).rejects.toMatchObject({ code: 'REDIS_UNAVAILABLE' });
    const own = { certFile: file('redis.pem'), keyFile: file('redis.key') };
    expect(await ping({ ...target, tls: { ...trusted(), ...own } })).toBe('PONG');
  });

  it('is reached as a cluster', async () => {
    const { port, tlsPort } = await startTlsServer([
      'cluster-enabled yes',
      'tls-cluster yes',
      'cluster-announce-ip 127.0.0.1',
    ]);
    const single = await connectRedis({ kind: 'url', url: `redis://127.0.0.1:${port}` }, 'producer');
    await single.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
    await eventually(async () => expect(String(await single.call('CLUSTER', 'INFO'))).toContain('cluster_state:ok'));
    await closeRedis(single);
    const target = { kind: 'cluster', nodes: localhost(tlsPort), login } as const;
    await expect(ping(target)).rejects.toMatchObject({ code: 'REDIS_UNAVAILABLE' });
    expect(await ping({ ...target, tls: trusted() })).toBe('PONG');
  });

  it('is reached over Sentinels that are encrypted, too', async () => {
    const master = await startTlsServer();
    const watch = [`sentinel monitor main 127.0.0.1 ${master.tlsPort} 1`, 'tls-replication yes'];
    const sentinel = await startTlsServer(watch, ['--sentinel']);
    const target: RedisTarget = {
      ...{ kind: 'sentinel', nodes: localhost(sentinel.tlsPort), name: 'main', login, sentinelPassword: undefined },
      tls: trusted(),
    };
    expect(await ping(target)).toBe('PONG');
  });

  it('is not asked where a file cannot be read: the setting is named', async () => {
    const target: RedisTarget = { kind: 'url', url: 'rediss://127.0.0.1:1', tls: { caFile: file('none.pem') } };
    await expect(ping(target)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      details: { problems: [{ path: 'REDIS_TLS_CA_FILE', message: expect.stringContaining('none.pem') }] },
    });
  });
});
