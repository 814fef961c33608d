import type { LinkFault } from '../support/redis-proxy/link.ts';
import type { SeededRandom } from './seeded-random.ts';

/** Something between one process and all of Redis. */
export interface ProcessLinkFault {
  readonly process: 'worker-0' | 'worker-1' | 'enqueuer';
  readonly how: LinkFault;
  readonly afterMs: number;
  readonly lastsMs: number;
}

const FAULTS = ['cut', 'refuse', 'delay', 'deaf', 'mute', 'black_hole', 'black_hole', 'half_close', 'strand'] as const;

export function planLinkFault(random: SeededRandom): ProcessLinkFault | undefined {
  const fault = {
    process: random.pick(['worker-0', 'worker-1', 'enqueuer']),
    how: random.pick(FAULTS),
    afterMs: random.int(0, 3_000),
    lastsMs: random.int(300, 4_000),
  } as const;
  return random.chance(0.5) ? fault : undefined;
}
