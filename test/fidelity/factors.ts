import { z } from 'zod';
import type { FaultAct } from '../../src/simulator/index.ts';
import { type SimulatorSwitches, switchesSchema } from '../../src/simulator/options.ts';
import type { Combination, Factors, Value } from './pairwise.ts';

/** Faults that a reply can meet beside those by which it is lost. */
type OtherFault = Exclude<FaultAct['kind'], 'drop_after' | 'stall_after'>;
const FAULTS = {
  ...{ status: true, raw: true, rate_limit: true, drop_before: true, drop_mid_body: true, stall: true, delay: true },
  ...{ slow_read: true, fail_processing: true, stuck_processing: true, stall_download: true },
} as const satisfies Record<OtherFault, true>;

/** Where a worker is killed: steps that every run of jobs passes. */
const KILLS = [
  ...(['claim after', 'init before', 'init after', 'commit:init_answered after', 'put during', 'put after'] as const),
  ...(['commit:last_chunk_started after', 'commit:upload_completed after', 'fetchStatus after'] as const),
  'commit:published before',
] as const;

/** What can differ beside the switches: options of the simulator, its faults, and when a worker is killed. */
const othersSchema = z.object({
  /** Which replies get lost first, and how. */
  lostReply: z.literal(['init', 'creator_info', 'chunk', 'last_chunk', 'status', 'token']),
  lostBy: z.literal(['drop_after', 'stall_after']),
  fault: z.literal(Object.keys(FAULTS) as [OtherFault, ...OtherFault[]]),
  kill: z.literal(KILLS),
  app: z.literal(['audited', 'unaudited', 'sandbox']),
  tokenLifetimes: z.literal(['2 h and 180 d', '24 h and 365 d']),
  rotateRefreshTokens: z.literal([true, false]),
  webhooks: z.literal(['none', 'once', 'often twice']),
  fetchPulls: z.literal([false, true]),
  moderationMs: z.literal([0, 500]),
  /** -1 is never. */
  inboxPostedAfterMs: z.literal([-1, 500]),
  /** Calls per minute of an init: as documented, or fewer than a client may think. */
  initPerMinute: z.literal([6, 2]),
  video: z.literal(['one chunk', 'several chunks', 'over 64 MB']),
});

/** Values of the switches that are numbers; a new one needs a line. */
const NUMBERS: Partial<Record<keyof SimulatorSwitches, readonly [number, ...number[]]>> = {
  abandonedUploadFailsAfterMs: [7_200_000, 12_000],
  publishIdUnknownForMs: [0, 1_500],
  publishIdLifetimeMs: [0, 10_000],
};

/** What a case is made of. */
export interface CaseValues extends z.infer<typeof othersSchema> {
  readonly switches: SimulatorSwitches;
}

/** Everything that is combined in pairs: each switch of the simulator with each of its values, and more. */
export const FACTORS: Factors = {
  ...Object.fromEntries(Object.entries(switchesSchema.shape).map(([name, schema]) => [name, valuesOf(name, schema)])),
  ...Object.fromEntries(Object.entries(othersSchema.shape).map(([name, { values }]) => [name, [...values]])),
};

/** Factors of which any value but this one makes a case take much longer. */
export const QUICK: Combination = { initPerMinute: 6, publishIdLifetimeMs: 0 };

/** Reads a combination of the factors. */
export function readCombination(combination: Combination): CaseValues {
  const ofSwitches = Object.entries(combination).filter(([name]) => name in switchesSchema.shape);
  return { ...othersSchema.parse(combination), switches: switchesSchema.parse(Object.fromEntries(ofSwitches)) };
}

function valuesOf(name: string, schema: z.ZodDefault): readonly Value[] {
  const inner = schema.unwrap();
  if (inner instanceof z.ZodBoolean) return [true, false];
  if (inner instanceof z.ZodEnum) return inner.options;
  const numbers = NUMBERS[name as keyof SimulatorSwitches];
  if (numbers === undefined) throw new Error(`give the values to try of the switch ${name} in NUMBERS`);
  return numbers;
}
