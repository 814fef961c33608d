import { HOLD_FIELDS, holdOf } from '../accounts/account-hold.ts';
import { createHeldAccounts } from '../accounts/held-accounts.ts';
import type { Clock } from '../core/ports.ts';
import { MINUTE_MS } from '../core/units.ts';
import { type LaneDelay, parseLaneDelay } from '../limits/lanes.ts';
import { createPauseStore } from '../limits/publishing-pause.ts';
import type { Keys } from '../redis/keys.ts';
import { asArray, type RedisClient } from '../redis/lua-script.ts';

interface DelayedLane {
  readonly account: string;
  readonly reason: LaneDelay['reason'];
  readonly waiting: readonly string[];
  readonly admitted: readonly string[];
}

export type LaneDelays = ReturnType<typeof createLaneDelays>;

/** Why the lanes stand still in which jobs wait for their turn. */
export function createLaneDelays({ redis, keys, clock }: { redis: RedisClient; keys: Keys; clock: Clock }) {
  const pauses = createPauseStore({ redis, keys, clock });
  const heldAccounts = createHeldAccounts({ redis, keys });

  /** Of all publishing. */
  async function pause(): Promise<LaneDelay | undefined> {
    const found = await pauses.read();
    if (found === undefined) return undefined;
    return { reason: 'publishing_paused', until: found.until === null ? undefined : Date.parse(found.until) };
  }

  /** Of these accounts, those whose lanes stand still. */
  async function of(accounts: Iterable<string>): Promise<ReadonlyMap<string, LaneDelay>> {
    const names = [...new Set(accounts)];
    if (names.length === 0) return new Map();
    const pipeline = redis.pipeline();
    for (const name of names) {
      pipeline.hmget(keys.account(name), ...HOLD_FIELDS).hgetall(keys.laneDelay(name));
    }
    const answers = ((await pipeline.exec()) ?? []).map(([error, answer]) => {
      if (error) throw error;
      return answer;
    });
    const delays = new Map<string, LaneDelay>();
    for (const [index, name] of names.entries()) {
      const hold = holdOf(asArray(answers[index * 2]));
      const delay = parseLaneDelay(answers[index * 2 + 1] as Record<string, string>);
      if (hold !== undefined) delays.set(name, { reason: hold, until: undefined });
      else if (delay !== undefined && !isOver(delay, clock.now())) delays.set(name, delay);
    }
    return delays;
  }

  /** Of all accounts whose lanes stand still. */
  async function ofAll(): Promise<ReadonlyMap<string, LaneDelay>> {
    const names = await heldAccounts.names();
    const delays = await of(names);
    await heldAccounts.forget(names.filter((name) => !delays.has(name)));
    return delays;
  }

  return {
    pause,
    of,
    ofAll,

    /**
     * All lanes that stand still, with the jobs in them: those that wait for their turn, and those that have it.
     * @returns undefined where they have more jobs than `most`
     */
    async all(most: number): Promise<DelayedLane[] | undefined> {
      const delays = [...(await ofAll())];
      const pipeline = redis.pipeline();
      for (const [account] of delays) pipeline.zcard(keys.laneWaiting(account)).zcard(keys.laneAdmitted(account));
      const sizes = delays.length === 0 ? [] : ((await pipeline.exec()) ?? []);
      if (sizes.reduce((sum, [, size]) => sum + Number(size ?? 0), 0) > most) return undefined;
      return await Promise.all(
        delays.map(async ([account, { reason }]) => {
          const [waiting, admitted] = await Promise.all([
            redis.zrange(keys.laneWaiting(account), '0', '-1'),
            redis.zrange(keys.laneAdmitted(account), '0', '-1'),
          ]);
          return { account, reason, waiting, admitted };
        }),
      );
    },
  };
}

/** Whether nothing came of a delay, such as one whose job was cancelled. */
function isOver({ until }: LaneDelay, now: number): boolean {
  return until !== undefined && until < now - MINUTE_MS;
}
