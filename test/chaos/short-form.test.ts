import { describe, inject, it } from 'vitest';
import { runChaos } from './chaos-run.ts';
import { RAPID_RECOVERY } from './stage.ts';
import { faultsIn } from './summary.ts';
import { TOPOLOGIES } from './topologies/topology.ts';

const ROUNDS = { single: 4, sentinel: 2, cluster: 2 } as const;
const LANES = { single: 2, sentinel: 1, cluster: 1 } as const;

describe.concurrent.each(TOPOLOGIES)('a short form of the chaos (%s)', (topology) => {
  it('posts nothing twice, forgets nothing and leaves nothing stuck', async ({ expect }) => {
    const seed = Date.now() % 1_000_000;
    const lines: string[] = [`${topology}, seed ${seed}`];
    const report = (line: string): void => void lines.push(line);
    const programs = inject('chaosPrograms');
    const summary = await runChaos({
      ...{ programs, topology, seed, from: 0, rounds: ROUNDS[topology], lanes: LANES[topology] },
      ...{ recovery: RAPID_RECOVERY, report },
    });
    const faults = faultsIn(summary);
    const none = Object.fromEntries(Object.keys(faults).map((name) => [name, 0]));
    expect(faults, lines.join('\n')).toEqual(none);
    expect(summary.jobs + summary.refused).toBe(ROUNDS[topology] * 6);
  });
});
