import { describe, it, vi } from 'vitest';
import { runJobSuite } from '../topologies/job-suite.ts';
import * as ways from '../topologies/ways.ts';

/*
 * What `npm run test:topologies` does for minutes and with killed workers, on the two that differ most.
 */

vi.setConfig({ maxConcurrency: 2 });

describe.concurrent('the whole job suite runs on', () => {
  it.for([
    ['a cluster of three masters and three replicas, with a failover', ways.cluster],
    ['users with the documented least rights', ways.leastRights],
  ] as const)('%s', async ([, start], test) => {
    await runJobSuite(await start(test), { withKill: false }, test);
  });
});
