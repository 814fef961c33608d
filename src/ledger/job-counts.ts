import { ALL_ERROR_CODES, type ErrorCode } from '../core/error-table.ts';
import type { JobCounts } from '../core/job-counts.ts';
import type { PublishMode } from '../core/publish-request.ts';
import {
  ALL_PUBLISH_STATES,
  isCapOfMode,
  MODE_OF_CAP,
  type PublishState,
  WAIT_REASONS,
  type WaitReason,
} from '../core/publish-state.ts';
import type { Keys } from '../redis/keys.ts';
import { prepareScript, type RedisClient } from '../redis/lua-script.ts';
import { INDEX_NAMES } from './index-names.ts';
import type { LaneDelays } from './lane-delays.ts';

/** Ids that one script looks up: about half a millisecond, in which Redis does nothing else. */
const LOOKED_UP_AT_ONCE = 1_000;

/**
 * KEYS: two indexes, and how the keys of jobs begin; ARGV: first and last rank in the first index, and the mode of the jobs
 * that count, or none. Answers how many of these jobs are in both.
 */
const SHARED_LUA = `
local shared = 0
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], ARGV[1], ARGV[2])) do
  if redis.call('ZSCORE', KEYS[2], id) and (ARGV[3] == '' or redis.call('HGET', KEYS[3] .. id, 'mode') == ARGV[3]) then
    shared = shared + 1
  end
end
return shared
`;

/** A part of all jobs, by the name of its index. */
interface Part {
  readonly name: string;
  size: number;
}

/** Counts jobs by the sizes of the indexes; for one account, by what they share with its index. */
export function createJobCounts({
  redis,
  keys,
  laneDelays,
}: {
  readonly redis: RedisClient;
  readonly keys: Keys;
  readonly laneDelays: LaneDelays;
}) {
  const runShared = prepareScript(redis, SHARED_LUA);

  async function sizesOf(names: readonly string[]): Promise<Part[]> {
    const pipeline = redis.pipeline();
    for (const name of names) pipeline.zcard(keys.jobIndex(name));
    const answers = (await pipeline.exec()) ?? [];
    return names.map((name, index) => {
      const [error, size] = answers[index] ?? [];
      if (error) throw error;
      return { name, size: Number(size) };
    });
  }

  /** How many jobs are in both; looks at those of the smaller one. */
  async function sharedBy(
    one: Part,
    other: Part,
    { mode, signal }: { readonly mode?: PublishMode | undefined; readonly signal: AbortSignal | undefined },
  ): Promise<number> {
    const [small, large] = one.size <= other.size ? [one, other] : [other, one];
    let shared = 0;
    for (let first = 0; first < small.size; first += LOOKED_UP_AT_ONCE) {
      signal?.throwIfAborted();
      const indexes = [keys.jobIndex(small.name), keys.jobIndex(large.name), keys.job('')];
      shared += Number(await runShared(indexes, [first, first + LOOKED_UP_AT_ONCE - 1, mode ?? '']));
    }
    return shared;
  }

  /** The sizes of some parts of an account's jobs. Where every job is in one of them, the largest is what is left. */
  async function within(
    whole: Part,
    parts: readonly Part[],
    { isPartition, signal }: { readonly isPartition: boolean; readonly signal: AbortSignal | undefined },
  ): Promise<Part[]> {
    const largest = isPartition ? Math.max(...parts.map(({ size }) => size)) : undefined;
    const left = parts.find(({ size }) => size === largest);
    const counted = await Promise.all(
      parts.map(async (part) => ({
        ...part,
        size: part === left || part.size === 0 ? 0 : await sharedBy(whole, part, { signal }),
      })),
    );
    const rest = whole.size - counted.reduce((sum, { size }) => sum + size, 0);
    return counted.map((part) => (part.name === left?.name ? { ...part, size: Math.max(0, rest) } : part));
  }

  /** Counts those that wait for their turn as what they are shown to wait for. */
  async function waitingAsShown(
    sizes: Map<WaitReason, number>,
    { account, signal }: { readonly account: string | undefined; readonly signal: AbortSignal | undefined },
  ): Promise<void> {
    if ((sizes.get('turn') ?? 0) === 0) return;
    if ((await laneDelays.pause()) !== undefined) {
      sizes.set('publishing_paused', (sizes.get('publishing_paused') ?? 0) + (sizes.get('turn') ?? 0));
      sizes.set('turn', 0);
      return;
    }
    const delays = await (account === undefined ? laneDelays.ofAll() : laneDelays.of([account]));
    for (const [name, { reason }] of delays) {
      const parts = await sizesOf([INDEX_NAMES.account(name), INDEX_NAMES.waitingFor('turn')]);
      const [ofAccount, turn] = parts;
      if (ofAccount === undefined || turn === undefined) continue;
      const mode = isCapOfMode(reason) ? MODE_OF_CAP[reason] : undefined;
      const count = await sharedBy(ofAccount, turn, { mode, signal });
      sizes.set('turn', Math.max(0, (sizes.get('turn') ?? 0) - count));
      sizes.set(reason, (sizes.get(reason) ?? 0) + count);
    }
  }

  return {
    /** @param signal stops the count, which rejects with its reason */
    async count(account?: string, signal?: AbortSignal): Promise<JobCounts> {
      const names = {
        states: ALL_PUBLISH_STATES.map(INDEX_NAMES.state),
        codes: ALL_ERROR_CODES.map(INDEX_NAMES.code),
        reasons: WAIT_REASONS.map(INDEX_NAMES.waitingFor),
      };
      const sizes = await sizesOf([...names.states, ...names.codes, ...names.reasons]);
      const parts = {
        states: sizes.splice(0, names.states.length),
        codes: sizes.splice(0, names.codes.length),
        reasons: sizes,
      };
      const [whole] = account === undefined ? [] : await sizesOf([INDEX_NAMES.account(account)]);
      const [states, codes, reasons] =
        whole === undefined
          ? [parts.states, parts.codes, parts.reasons]
          : await Promise.all([
              within(whole, parts.states, { isPartition: true, signal }),
              within(whole, parts.codes, { isPartition: false, signal }),
              within(whole, parts.reasons, { isPartition: false, signal }),
            ]);
      const waiting = new Map(WAIT_REASONS.map((reason, index) => [reason, reasons[index]?.size ?? 0]));
      await waitingAsShown(waiting, { account, signal });
      const byState = new Map(ALL_PUBLISH_STATES.map((state, index) => [state, states[index]?.size ?? 0]));
      const byCode = new Map(ALL_ERROR_CODES.map((code, index) => [code, codes[index]?.size ?? 0]));
      return {
        total: [...byState.values()].reduce((sum, size) => sum + size, 0),
        states: present<PublishState>(byState),
        codes: present<ErrorCode>(byCode),
        waitingFor: present<WaitReason>(waiting),
      };
    },
  };
}

function present<Name extends string>(sizes: ReadonlyMap<Name, number>): Partial<Record<Name, number>> {
  const found: Partial<Record<Name, number>> = {};
  for (const [name, size] of sizes) if (size > 0) found[name] = size;
  return found;
}
