import {
  FACT_NAMES,
  type FactChange,
  type FactName,
  type FactReport,
  type LearnedFact,
  type LearnedFacts,
  parseFact,
  parseFacts,
  reportFact,
} from '../core/learned-facts.ts';
import type { Clock } from '../core/ports.ts';
import type { Keys } from '../redis/keys.ts';
import { prepareNamedScript, type RedisClient } from '../redis/lua-script.ts';

/** `factsOf(facts, account)` for scripts: the stored facts in the order of `FACT_NAMES`, with nothing for missing ones. */
export const FACTS_LUA = `
local function factsOf(facts, account)
  return redis.call('HMGET', facts, ${FACT_NAMES.map((name) => (isOfAccount(name) ? `'${fieldOf(name, '')}' .. account` : `'${name}'`)).join(', ')})
end
`;

/** Without a note of the app, what is there was learned as this one. */
const KEEP_FOR_LUA = `
local before = redis.call('GET', key.app)
if before and before ~= arg.clientKey then redis.call('DEL', key.facts, key.users) end
redis.call('SET', key.app, arg.clientKey)
`;

/** The only facts of single accounts; the ones learned last are kept. */
const MAX_DAILY_POST_CAPS = 200;

export type Facts = ReturnType<typeof createFacts>;

/** What was learned from TikTok's answers, for all processes: one hash, whose fields expire when they are read. */
export function createFacts({ redis, keys, clock }: { redis: RedisClient; keys: Keys; clock: Clock }) {
  const runKeepFor = prepareNamedScript(redis, KEEP_FOR_LUA);

  async function readAll(): Promise<{ readonly field: string; readonly name: FactName; readonly fact: LearnedFact }[]> {
    const now = clock.now();
    const stored = Object.entries(await redis.hgetall(keys.facts)).map(([field, json]) => {
      const name = FACT_NAMES.find((each) => field === each || field.startsWith(`${each}:`));
      const fact = name && parseFact(name, json, now);
      return { field, name, fact, isOver: name && fact === undefined && parseFact(name, json, 0) !== undefined };
    });
    // What cannot be read is another version's: it may run beside this one.
    const dead = stored.filter(({ isOver }) => isOver).map(({ field }) => field);
    if (dead.length > 0) await redis.hdel(keys.facts, ...dead);
    return stored.flatMap(({ field, name, fact }) => (name && fact ? [{ field, name, fact }] : []));
  }

  async function makeRoom(): Promise<void> {
    const caps = (await readAll()).filter(({ name }) => isOfAccount(name));
    caps.sort((one, other) => one.fact.learnedAt - other.fact.learnedAt);
    const excess = caps.slice(0, Math.max(0, caps.length - MAX_DAILY_POST_CAPS + 1));
    if (excess.length > 0) await redis.hdel(keys.facts, ...excess.map(({ field }) => field));
  }

  return {
    /** Forgets what was learned as another app of TikTok's, such as its sandbox: it says nothing of this one. */
    async keepFor(clientKey: string | undefined): Promise<void> {
      if (clientKey !== undefined)
        await runKeepFor({ facts: keys.facts, users: keys.activeUsers, app: keys.app }, { clientKey });
    },

    /** What is known for a post of an account. */
    async of(account: string): Promise<LearnedFacts> {
      return parseFacts(
        await redis.hmget(keys.facts, ...FACT_NAMES.map((name) => fieldOf(name, account))),
        clock.now(),
      );
    },

    /** All that is known, the newest last. */
    async list(): Promise<FactReport[]> {
      const all = await readAll();
      all.sort((one, other) => one.fact.learnedAt - other.fact.learnedAt);
      return all.map(({ name, fact }) => reportFact(name, fact));
    },

    /** Writes or forgets a fact. @param source the job whose answer told it, and its account */
    async change({ name, value }: FactChange, source: Pick<LearnedFact, 'jobId' | 'account'>): Promise<void> {
      const field = fieldOf(name, source.account);
      if (value === undefined) return void (await redis.hdel(keys.facts, field));
      if (isOfAccount(name)) await makeRoom();
      const fact: LearnedFact = { value, learnedAt: clock.now(), ...source };
      await redis.hset(keys.facts, field, JSON.stringify(fact));
    },
  };
}

function fieldOf(name: FactName, account: string): string {
  return isOfAccount(name) ? `${name}:${account}` : name;
}

function isOfAccount(name: FactName): boolean {
  return name === 'dailyPostCap';
}
