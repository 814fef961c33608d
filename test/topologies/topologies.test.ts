import { describe, it, vi } from 'vitest';
import { runJobSuite } from './job-suite.ts';
import { otherEngine } from './other-engines.ts';
import * as ways from './ways.ts';

vi.setConfig({ maxConcurrency: 2 });

describe.concurrent('the whole job suite, with a worker that is killed, runs on', () => {
  it.for([
    ['a single Redis', ways.single],
    ['Sentinel, with a failover', ways.sentinel],
    ['a cluster of three masters and three replicas, with a failover', ways.cluster],
    ['rediss:// with a private CA and a client certificate', ways.encrypted],
    ['users with the documented least rights', ways.leastRights],
    ['a database other than 0', ways.numberedDatabase],
    ['a hosted one without CONFIG and CLIENT that closes idle connections', ways.hosted],
    ['an address that leads to another master after a failover', ways.movedAddress],
  ] as const)('%s', async ([, start], test) => {
    await runJobSuite(await start(test), { withKill: true }, test);
  });
});

describe.concurrent('the whole job suite runs on another engine:', () => {
  it.for([
    ['Redis 8, single', 'redis', 'trixie', ways.single],
    ['Valkey 8, single', 'valkey', 'trixie', ways.single],
    ['Valkey 9, single', 'valkey', 'sid', ways.single],
    ['Valkey 9, Sentinel', 'valkey', 'sid', ways.sentinel],
    ['Valkey 9, cluster', 'valkey', 'sid', ways.cluster],
    ['Redis 8, Sentinel', 'redis', 'trixie', ways.sentinel],
    ['Redis 8, cluster', 'redis', 'trixie', ways.cluster],
  ] as const)('%s', async ([, server, release, start], test) => {
    const program = await otherEngine({ server, release });
    if (program === undefined) return test.skip(`no packages of Debian ${release} can be had here`);
    await runJobSuite(await start(test, program), { withKill: true }, test);
  });
});
