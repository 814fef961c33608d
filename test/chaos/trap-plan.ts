import type { SeededRandom } from './seeded-random.ts';
import type { Trap } from './traps.ts';

/** Steps at which a worker can be killed, before and after; the more often a step happens, the later the trap may be. */
const STEPS: readonly [readonly [string, number], ...(readonly [string, number])[]] = [
  ['claim', 8],
  ['accessToken', 8],
  ['claimVideo', 2],
  ['commit:init_sent', 3],
  ['init', 3],
  ['commit:init_answered', 3],
  ['put', 8],
  ['note', 5],
  ['commit:last_chunk_started', 3],
  ['commit:upload_completed', 3],
  ['addStatusEntry', 3],
  ['fetchStatus', 6],
  ['commit:published', 2],
  ['commit:in_inbox', 1],
  ['addRecheckEntry', 1],
  ['commit:resumed', 2],
  ['commit:attempt_failed', 2],
  ['commit:poll_failed', 2],
  ['commit:handed_back', 1],
  ['replacePublishEntry', 1],
  ['bull:moveToActive', 10],
  ['bull:moveToDelayed', 5],
  ['bull:moveToFinished', 6],
  ['any', 120],
];

/** Every step before and after, and inside a chunk. */
export const KILL_STEPS: readonly (readonly [string, Trap['moment']])[] = [
  ['put', 'during'],
  ...STEPS.filter(([step]) => step !== 'any').flatMap(([step]) => [
    [step, 'before'] as const,
    [step, 'after'] as const,
  ]),
];

/** A trap anywhere. */
export function planTrap(random: SeededRandom, lockDurationMs: number): Trap {
  const action = planAction(random);
  const end = action === 'block' ? { action, blockMs: (lockDurationMs * random.int(11, 13)) / 10 } : { action };
  if (random.chance(0.25)) {
    return { step: 'put', moment: 'during', nth: random.int(1, 6), afterBytes: random.int(0, 5_242_880), ...end };
  }
  const [step, latest] = random.pick(STEPS);
  return { step, moment: random.pick(['before', 'after']), nth: random.int(1, latest), ...end };
}

function planAction(random: SeededRandom): Trap['action'] {
  const roll = random.next();
  if (roll < 0.7) return 'kill';
  if (roll < 0.82) return 'stop';
  return roll < 0.9 ? 'block' : 'term';
}
