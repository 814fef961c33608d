import { randomInt } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { FetchScript } from '../core/job-reference.ts';
import { type LearnedFacts, parseFacts } from '../core/learned-facts.ts';
import type { Clock } from '../core/ports.ts';
import { TIKTOK_QUOTAS } from '../limits/tiktok-quotas.ts';
import type { Keys } from '../redis/keys.ts';
import { asArray, keyTable, prepareScript, type RedisClient } from '../redis/lua-script.ts';
import { decodeRecord, type LedgerRecord } from './record.ts';
import { CLAIM_LUA } from './scripts.ts';

/** Which start of which queue entry wants to own a record. */
export interface Run {
  /** Names the queue entry, so that a new entry counts its starts from one. */
  readonly entry: string;
  /** How often that entry has been started (BullMQ's attemptsStarted). */
  readonly start: number;
  /** How many of them ended without a word, because the worker died or hung (BullMQ's stalledCounter); 0 by default. */
  readonly stalls?: number;
  /** The claim that was made when the entry was fetched: once, and only for the job with the entry's own id. */
  readonly takeFetched?: ((id: string) => Claim | undefined) | undefined;
}

/** What a fetch answered, and the claim that was made with it, if it fetched an entry whose job could be claimed. */
interface Fetched {
  readonly answer: unknown;
  readonly takeFetched: Run['takeFetched'];
}

/** Fetches a queue entry by a script, with what BullMQ gives its own: the keys, then the arguments. */
export type Fetch = (given: readonly (string | number | Buffer)[]) => Promise<Fetched>;

/** How a fetch of a queue entry claims its job in the same step, which saves the claim a call of its own. */
export interface FetchClaims {
  /** Defines `onFetched(start, argument, id, starts, stalls, addedAt)` for the script. */
  readonly lua: string;
  /** @param script takes one key and one argument more than BullMQ's, and answers what that answers, then what `onFetched` does */
  prepareFetch(script: FetchScript, connection: RedisClient): Fetch;
}

/** What an owner has to know besides the record, read in the same step as its claim. */
export interface Surroundings {
  /** How often the entry stalled since the record last changed. */
  readonly stalls: number;
  /** Whether the job has its turn in its account's lane, and nothing holds the account back. */
  readonly hasTurn: boolean;
  /** Jobs of the account whose status is polled. */
  readonly polledJobs: number;
  /** Whether TikTok's reports of posts reach this app, so that polls may be rare. */
  readonly webhooksArrive: boolean;
  /** Whether the app's cap on posting accounts is known, and this one has no place within it. */
  readonly isNewcomer: boolean;
  /** When its next status call may be made, which is booked (ms since the epoch); undefined where none was booked. */
  readonly statusCallAt: number | undefined;
  /** Whether the claim was counted as a poll in the record. */
  readonly isPoll: boolean;
  /** When the sweep looks at the job, if the claim was counted as a poll (ms since the epoch). */
  readonly sweepAt: number | undefined;
  /** What was learned from TikTok's answers so far. */
  readonly facts: LearnedFacts;
}

/** A claim that is to poll the job's status, if that is what the job needs. */
export interface PollClaim {
  /** After how long the sweep looks at the job (ms), unless the next poll is planned for later. */
  readonly dueInMs: number;
}

/** Which ledger answered, and how far it is. */
export interface AnsweredVersion {
  readonly id: string | undefined;
  readonly count: number;
}

export type Claim = (
  | { readonly kind: 'claimed'; readonly record: LedgerRecord; readonly around: Surroundings }
  | { readonly kind: 'missing' }
  | { readonly kind: 'overtaken' }
) & {
  readonly version: AnsweredVersion;
  /** When the claim was sent (`performance.now()`). */
  readonly askedAt: number;
};

interface ClaimParts {
  readonly redis: RedisClient;
  readonly keys: Keys;
  readonly clock: Clock;
  /** Names each call, so that one that is sent again is known. */
  readonly nextCall: () => string;
}

/**
 * Makes the calls by which a worker becomes the owner of a record; an earlier owner is fenced out from there on. With
 * `poll` they book a status call too, and count the poll, if the job is polled.
 */
export function prepareClaim({ redis, keys, clock, nextCall }: ClaimParts) {
  const tableOf = (poll: PollClaim | undefined) =>
    keyTable(keys.start, {
      ...{ jobPrefix: keys.job(''), version: keys.ledgerVersion, webhooksArrive: keys.webhooksArrive, due: keys.due },
      ...{ facts: keys.facts, activeUsers: keys.activeUsers, publishingPause: keys.publishingPause },
      ...{ laneAdmittedPrefix: keys.laneAdmitted(''), accountPrefix: keys.account('') },
      ...{ polledJobsPrefix: keys.polledJobs('') },
      ...(poll && { statusCallsPrefix: keys.reservations('', 'status') }),
    });
  const luaOf = (poll: PollClaim | undefined) => `
local function onFetched(start, argument, id, starts, stalls, addedAt)
  local key = ${tableOf(poll)}
  local arg = cjson.decode(argument)
  ${CLAIM_LUA}
  return claim(id, arg.run or arg.queue .. ':' .. id .. ':' .. addedAt, starts, stalls)
end`;
  const call = 'return onFetched(KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4])';
  const withoutPoll = prepareScript(redis, `${luaOf(undefined)}\n${call}`);
  const withPoll = prepareScript(redis, `${luaOf({ dueInMs: 0 })}\n${call}`);

  /** @param which the run, or the queue whose name begins that of the run */
  function begin(which: { readonly run: string } | { readonly queue: string }, poll: PollClaim | undefined) {
    const now = clock.now();
    const askedAt = performance.now();
    const argument = { ...which, call: nextCall(), newFence: newFence(), now };
    return {
      argument: JSON.stringify({ ...argument, ...(poll && { ...TIKTOK_QUOTAS.status, ...poll }) }),
      decode(id: string, answer: unknown): Claim {
        const [outcome, found, hash, around] = asArray(answer);
        const version = decodeVersion(found);
        if (outcome !== 'claimed') return { kind: outcome === 'missing' ? 'missing' : 'overtaken', version, askedAt };
        const record = decodeRecord(id, asArray(hash));
        return { kind: 'claimed', version, askedAt, record, around: decodeSurroundings(around, now, poll) };
      },
    };
  }

  return {
    async claim(id: string, run: Run, poll?: PollClaim): Promise<Claim> {
      const fetched = run.takeFetched?.(id);
      if (fetched !== undefined) return fetched;
      const { argument, decode } = begin({ run: run.entry }, poll);
      return decode(
        id,
        await (poll ? withPoll : withoutPoll)([keys.start], [argument, id, run.start, run.stalls ?? 0]),
      );
    },

    /** @param queue whose entries have the ids of their jobs; `Run.entry` is its name, the entry's id and when it was added */
    claimsOf(queue: string, poll?: PollClaim): FetchClaims {
      return {
        lua: luaOf(poll),
        prepareFetch({ lua, keyCount }, connection) {
          const run = prepareScript(connection, lua);
          return async (given) => {
            const { argument, decode } = begin({ queue }, poll);
            const fetchKeys = given.slice(0, keyCount).map(String);
            const [answer, claimed] = asArray(
              await run([...fetchKeys, keys.start], [...given.slice(keyCount).map((each) => each ?? ''), argument]),
            );
            const [, fetchedId] = asArray(answer);
            let isTaken = asArray(claimed).length === 0;
            return {
              answer,
              takeFetched(id) {
                if (isTaken || id !== fetchedId) return undefined;
                isTaken = true;
                return decode(id, claimed);
              },
            };
          };
        },
      };
    },
  };
}

function decodeVersion(found: unknown): AnsweredVersion {
  const [id, count] = asArray(found);
  return { id: id == null ? undefined : String(id), count: Number(count ?? 0) };
}

/** @param askedAt before the claim was sent, so that a process that slept since finds its booking late */
function decodeSurroundings(around: unknown, askedAt: number, poll: PollClaim | undefined): Surroundings {
  const [hasTurn, polledJobs, webhooksArrive, isNewcomer, statusCallInMs, isPoll, facts, stalls] = asArray(around);
  return {
    stalls: Number(stalls),
    hasTurn: hasTurn === 1,
    polledJobs: Number(polledJobs),
    webhooksArrive: webhooksArrive === 1,
    isNewcomer: isNewcomer === 1,
    statusCallAt: statusCallInMs === null ? undefined : askedAt + Number(statusCallInMs),
    isPoll: isPoll === 1,
    sweepAt: isPoll === 1 && poll !== undefined ? askedAt + poll.dueInMs : undefined,
    facts: parseFacts(asArray(facts), askedAt),
  };
}

/** At random, not counted: after a failover, two servers would count on to the same number for two owners. */
export function newFence(): string {
  return String(randomInt(1, 2 ** 47));
}
