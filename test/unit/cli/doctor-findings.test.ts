import { statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { nameList } from '../../../src/cli/doctor/finding.ts';
import { diskFindings, redisFindings, serverFindings } from '../../../src/cli/doctor/redis-findings.ts';
import { replicaFindings } from '../../../src/cli/doctor/replication-findings.ts';
import type { ServerFacts } from '../../../src/redis/server-facts.ts';

const good: ServerFacts = {
  version: '7.0.15',
  engine: 'Redis 7.0.15',
  isClusterNode: false,
  isReplica: false,
  maxmemoryPolicy: 'noeviction',
  maxmemoryBytes: 0,
  usedMemoryBytes: 1_000_000,
  appendsOnly: true,
  savePoints: '3600 1',
  lastWriteFailed: false,
  maxClients: 10_000,
  connectedClients: 10,
  connectedReplicas: 1,
  minReplicasToWrite: 1,
  hz: 100,
};

describe('what the doctor says of a Redis server', () => {
  it('is nothing when all is well', () => {
    expect(serverFindings(good)).toEqual([]);
    expect(serverFindings({ ...good, version: '6.2.0', maxmemoryBytes: 2_000_000 })).toEqual([]);
    expect(serverFindings({ ...good, hz: undefined, maxClients: undefined })).toEqual([]);
  });

  it.each([
    ['an old version', { version: '6.0.16' }, 'problem', '6.0.16 is too old'],
    ['a replica', { isReplica: true }, 'problem', 'read-only replica'],
    ['a policy that evicts', { maxmemoryPolicy: 'allkeys-lru' }, 'problem', 'allkeys-lru'],
    ['memory that is nearly full', { maxmemoryBytes: 1_050_000 }, 'problem', 'nearly full'],
    ['a write that failed', { lastWriteFailed: true }, 'problem', 'failed'],
    ['nothing kept on disk', { appendsOnly: false, savePoints: '' }, 'problem', 'stores nothing on disk'],
    ['only snapshots', { appendsOnly: false }, 'advice', 'only snapshots'],
    ['a leisurely pace', { hz: 10 }, 'advice', 'up to 100 ms late'],
    ['too few connections', { maxClients: 5 }, 'problem', 'allows only 5'],
    ['connections that run out', { maxClients: 20 }, 'advice', 'only 10 more'],
    [
      'a server that does not tell',
      { appendsOnly: false, savePoints: undefined },
      'advice',
      'does not report its persistence',
    ],
  ])('names %s, and how to mend it', (_, change, level, words) => {
    const findings = serverFindings({ ...good, ...change });
    expect(findings).toEqual([{ level, message: expect.stringContaining(words), fix: expect.stringMatching(/\w/) }]);
  });
});

describe('what the doctor says of the server at an address', () => {
  const target = { kind: 'url', url: 'redis://redis.example:6379' } as const;

  it('begins with the name and the version of its engine', () => {
    expect(redisFindings([{ ...good, version: '7.2.4', engine: 'Valkey 9.1.2' }], target)).toEqual([
      { check: 'redis', level: 'ok', message: 'Valkey 9.1.2 responds at redis://redis.example:6379' },
    ]);
  });

  it('names a node of a cluster that is used alone, and how to mend it', () => {
    const node = { ...good, isClusterNode: true };
    const fix = expect.stringContaining('REDIS_CLUSTER_NODES');
    expect(redisFindings([node], target)).toContainEqual(expect.objectContaining({ level: 'advice', fix }));
    const nodes = [{ host: 'redis.example', port: 6379 }];
    const login = { username: undefined, password: undefined, tls: false };
    expect(redisFindings([node], { kind: 'cluster', nodes, login })).toHaveLength(1);
  });
});

describe('what the doctor says of replicas', () => {
  it('is nothing when what counts is confirmed, or there are none to fail over to', () => {
    expect(replicaFindings(good, 1)).toEqual([]);
    expect(replicaFindings({ ...good, minReplicasToWrite: undefined }, 1)).toEqual([]);
    expect(replicaFindings({ ...good, connectedReplicas: 0, minReplicasToWrite: 0 }, 0)).toEqual([]);
  });

  it.each([
    ['too few of them', { connectedReplicas: 0 }, 1, 'problem', 'no job can be accepted'],
    ['replicas that nobody waits for', {}, 0, 'advice', 'may lose jobs or post a video twice'],
    ['a master that writes without replicas', { minReplicasToWrite: 0 }, 1, 'advice', 'min-replicas-to-write is 0'],
  ])('names %s, and how to mend it', (_, change, wanted, level, words) => {
    const findings = replicaFindings({ ...good, ...change }, wanted);
    expect(findings).toEqual([{ level, message: expect.stringContaining(words), fix: expect.stringMatching(/\w/) }]);
  });
});

describe('what the doctor says of the disk of our own Redis', () => {
  const folder = tmpdir();

  it.each([
    [50_000_000_000, []],
    [1_500_000_000, ['advice']],
    [100_000_000, ['problem']],
  ])('with %d bytes left has these levels: %j', async (freeBytes, levels) => {
    const findings = await diskFindings(folder, async () => freeBytes);
    expect(findings.map(({ level }) => level)).toEqual(levels);
    for (const { message, fix } of findings)
      expect(`${message} ${fix}`).toMatch(/DATA_DIR has only .* MB.*larger disk/);
  });

  it('is read from the system', async () => {
    const { bavail, bsize } = await statfs(folder);
    expect(await diskFindings(folder)).toHaveLength(bavail * bsize < 2_000_000_000 ? 1 : 0);
  });
});

describe('a list of names', () => {
  it('ends after ten with how many there are beyond', () => {
    expect(nameList(['a', 'b'])).toBe('"a", "b"');
    const many = nameList(Array.from({ length: 12 }, (_, index) => `n${index}`));
    expect(many).toMatch(/"n9" and 2 more$/);
  });
});
