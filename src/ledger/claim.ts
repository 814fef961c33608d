import { randomInt } from 'node:crypto';
import { type LearnedFacts, parseFacts } from '../core/learned-facts.ts';
import type { Clock } from '../core/ports.ts';
import { TIKTOK_QUOTAS } from '../limits/tiktok-quotas.ts';
import type { Keys } from '../redis/keys.ts';
import { asArray, prepareNamedScript, type RedisClient } from '../redis/lua-script.ts';
import { decodeRecord, type LedgerRecord } from './record.ts';
import { CLAIM_SCRIPT } from './scripts.ts';

/** Which start of which queue entry wants to own a record. */
export interface Run {
  /** Names the queue entry, so that a new entry counts its starts from one. */
  readonly entry: string;
  /** How often that entry has been started (BullMQ's attemptsStarted). */
  readonly start: number;
  /** How many of them ended without a word, because the worker died or hung (BullMQ's stalledCounter); 0 by default. */
  readonly stalls?: number;
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
) & { readonly version: AnsweredVersion };

interface ClaimParts {
  readonly redis: RedisClient;
  readonly keys: Keys;
  readonly clock: Clock;
  /** Names each call, so that one that is sent again is known. */
  readonly nextCall: () => string;
}

/**
 * Makes the call by which a worker becomes the owner of a record; an earlier owner is fenced out from there on. With
 * `poll` it books a status call too, and counts the poll, if the job is polled.
 */
export function prepareClaim({ redis, keys, clock, nextCall }: ClaimParts) {
  const runClaim = prepareNamedScript(redis, CLAIM_SCRIPT);
  const claimKeys = {
    ...{ version: keys.ledgerVersion, webhooksArrive: keys.webhooksArrive, due: keys.due },
    publishingPause: keys.publishingPause,
    ...{ facts: keys.facts, activeUsers: keys.activeUsers },
    ...{
      laneAdmittedPrefix: keys.laneAdmitted(''),
      accountPrefix: keys.account(''),
      polledJobsPrefix: keys.polledJobs(''),
    },
  };
  return async (id: string, run: Run, poll?: PollClaim): Promise<Claim> => {
    const askedAt = clock.now();
    const answer = await runClaim(
      {
        ...{ job: keys.job(id), ...claimKeys },
        statusCallsPrefix: poll && keys.reservations('', 'status'),
      },
      {
        ...{
          id,
          run: run.entry,
          start: run.start,
          stalls: run.stalls ?? 0,
          call: nextCall(),
          newFence: newFence(),
          now: askedAt,
        },
        ...(poll && { ...TIKTOK_QUOTAS.status, ...poll }),
      },
    );
    const [outcome, found, hash, around] = asArray(answer);
    const version = decodeVersion(found);
    if (outcome !== 'claimed') return { kind: outcome === 'missing' ? 'missing' : 'overtaken', version };
    return {
      kind: 'claimed',
      version,
      record: decodeRecord(asArray(hash)),
      around: decodeSurroundings(around, askedAt, poll),
    };
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
