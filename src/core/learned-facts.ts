import { z } from 'zod';
import { parseStored } from './parse-stored.ts';
import { DAY_MS, HOUR_MS } from './units.ts';

/** What can be learned from TikTok's answers. Instants and durations are ms unless the name says otherwise. */
const FACTS = {
  /** Whether TikTok has audited the app. Asked again after a day, since TikTok does not say when it has. */
  audited: { value: z.boolean(), validForMs: DAY_MS },
  /** Creators who may post in 24 hours: those that had when TikTok refused one more. Tried again each hour. */
  activeCreatorCap: { value: z.number(), validForMs: undefined },
  /** Length of the longest video that TikTok published, where its pages leave open whether it does. */
  longestVideoSeconds: { value: z.number(), validForMs: undefined },
  /** Whether the answer to a chunk names the count of the bytes that TikTok has, or the index of the last one. */
  uploadReport: { value: z.enum(['count', 'last_index']), validForMs: undefined },
  /** Direct posts that this program had made for a creator in 24 hours when TikTok refused one more. */
  dailyPostCap: { value: z.number(), validForMs: 7 * DAY_MS },
} as const;

export type FactName = keyof typeof FACTS;
export const FACT_NAMES = Object.keys(FACTS) as readonly FactName[];
type ValueOf<Name extends FactName> = z.infer<(typeof FACTS)[Name]['value']>;

/** A fact, and whence it is known. */
export interface LearnedFact<Value = boolean | number | string> {
  readonly value: Value;
  /** Ms since the epoch. */
  readonly learnedAt: number;
  /** The job whose answer told it. */
  readonly jobId: string;
  readonly account: string;
}

/** What is known and still counts; `dailyPostCap` is that of one account. */
export type LearnedFacts = { readonly [Name in FactName]?: LearnedFact<ValueOf<Name>> | undefined };

/** What an answer of TikTok's showed. */
export type Seen =
  | { readonly kind: 'public_post_accepted' | 'unaudited_refusal' }
  /** `posts`: direct posts that were begun for the account within a day. */
  | { readonly kind: 'daily_cap_reached' | 'post_accepted'; readonly posts: number }
  | { readonly kind: 'video_published' | 'duration_refused'; readonly durationSeconds: number }
  /** Answer to a chunk: the number in it, and how many bytes TikTok has. */
  | { readonly kind: 'chunk_accepted'; readonly reportedBytes: number; readonly acceptedBytes: number };

/** A fact to write, or without a value to forget. */
export interface FactChange {
  readonly name: FactName;
  readonly value: LearnedFact['value'] | undefined;
}

/** Up to here TikTok's pages say that a video passes. */
const DOCUMENTED_SECONDS = 600;
/** A fact that is confirmed all the time is written again after this (ms). */
const CONFIRM_AFTER_MS = HOUR_MS;

/** Decides what an answer of TikTok's changes in what is known; usually nothing. */
export function learnFrom(seen: Seen, known: LearnedFacts, now: number): FactChange | undefined {
  switch (seen.kind) {
    case 'public_post_accepted':
      return isConfirmed(known.audited, true, now) ? undefined : { name: 'audited', value: true };
    case 'unaudited_refusal':
      return { name: 'audited', value: false };
    case 'daily_cap_reached':
      return { name: 'dailyPostCap', value: seen.posts };
    case 'post_accepted':
      return contradicted('dailyPostCap', known.dailyPostCap, (cap) => seen.posts > cap);
    case 'video_published': {
      const longest = Math.max(DOCUMENTED_SECONDS, known.longestVideoSeconds?.value ?? 0);
      return seen.durationSeconds > longest ? { name: 'longestVideoSeconds', value: seen.durationSeconds } : undefined;
    }
    case 'duration_refused':
      return contradicted('longestVideoSeconds', known.longestVideoSeconds, (max) => seen.durationSeconds <= max);
    case 'chunk_accepted': {
      const reading = readingOf(seen);
      const isNew = reading !== undefined && reading !== known.uploadReport?.value;
      return isNew ? { name: 'uploadReport', value: reading } : undefined;
    }
  }
}

function isConfirmed(fact: LearnedFact | undefined, value: LearnedFact['value'], now: number): boolean {
  return fact?.value === value && fact.learnedAt > now - CONFIRM_AFTER_MS;
}

function contradicted(
  name: FactName,
  fact: LearnedFact<number> | undefined,
  isWrong: (value: number) => boolean,
): FactChange | undefined {
  return fact !== undefined && isWrong(fact.value) ? { name, value: undefined } : undefined;
}

function readingOf({ reportedBytes, acceptedBytes }: Extract<Seen, { kind: 'chunk_accepted' }>) {
  if (reportedBytes === acceptedBytes) return 'count';
  return reportedBytes === acceptedBytes - 1 ? 'last_index' : undefined;
}

/**
 * Why TikTok would refuse a direct post of an app that it has not audited, as far as that is known.
 * @param retriedAt when a person last retried the job: a later attempt than the fact asks TikTok again (ms since the epoch)
 */
export function unauditedProblem(
  privacyLevel: string | undefined,
  { audited }: LearnedFacts,
  retriedAt = 0,
): string | undefined {
  if (audited?.value !== false || audited.learnedAt < retriedAt) return undefined;
  if (!needsAudit(privacyLevel)) return undefined;
  const { learnedAt, jobId } = audited;
  return `TikTok has not audited the app, so it can only post SELF_ONLY to private accounts: TikTok refused job ${jobId} for this at ${iso(learnedAt)}. TikTok is asked again at ${iso(learnedAt + DAY_MS)}, or earlier by a retry of a failed job`;
}

/** A fact as people and programs read it. */
export interface FactReport {
  readonly name: FactName;
  readonly value: LearnedFact['value'];
  /** The account that it holds for; null: the whole app. */
  readonly account: string | null;
  readonly learnedAt: string;
  readonly jobId: string;
  /** When it no longer counts; null: when TikTok contradicts it. */
  readonly validUntil: string | null;
  readonly text: string;
}

/** Shows a fact to people and programs. */
export function reportFact(name: FactName, fact: LearnedFact): FactReport {
  const { value, learnedAt, jobId, account } = fact;
  const { validForMs } = FACTS[name];
  return {
    ...{ name, value, jobId, account: name === 'dailyPostCap' ? account : null, learnedAt: iso(learnedAt) },
    validUntil: validForMs === undefined ? null : iso(learnedAt + validForMs),
    text: textOf(name, fact),
  };
}

function textOf(name: FactName, { value, account }: LearnedFact): string {
  switch (name) {
    case 'audited':
      return value === true
        ? 'TikTok has audited the app: it accepted a post that is not SELF_ONLY'
        : 'TikTok has not audited the app: it refuses public posts, and posts to public accounts';
    case 'activeCreatorCap':
      return `${value} creators had posted in 24 hours when TikTok refused one more`;
    case 'longestVideoSeconds':
      return `TikTok published a video of ${value} seconds; its pages promise ${DOCUMENTED_SECONDS}`;
    case 'uploadReport':
      return value === 'count'
        ? 'the answer to a chunk names how many bytes TikTok has'
        : 'the answer to a chunk names the index of the last byte that TikTok has';
    case 'dailyPostCap':
      return `account ${account} had posted ${value} times in 24 hours through this program when TikTok refused one more`;
  }
}

const factOf = { learnedAt: z.number(), jobId: z.string(), account: z.string() };

/** Reads a stored fact. @returns undefined if there is none, it no longer counts, or another version wrote it differently */
export function parseFact(name: FactName, json: unknown, now: number): LearnedFact | undefined {
  if (typeof json !== 'string') return undefined;
  const { value, validForMs } = FACTS[name];
  const fact = parseStored(z.object({ value, ...factOf }), json);
  if (fact === undefined || (validForMs !== undefined && fact.learnedAt + validForMs <= now)) return undefined;
  return fact;
}

/** Reads the facts of one account. @param stored in the order of `FACT_NAMES` */
export function parseFacts(stored: readonly unknown[], now: number): LearnedFacts {
  const known = FACT_NAMES.map((name, index) => [name, parseFact(name, stored[index], now)] as const);
  return Object.fromEntries(known.filter(([, fact]) => fact !== undefined)) as LearnedFacts;
}

function iso(instant: number): string {
  return new Date(instant).toISOString();
}

/** Whether TikTok takes such a direct post only of an app that it has audited. */
export function needsAudit(privacyLevel: string | undefined): boolean {
  return privacyLevel !== undefined && privacyLevel !== 'SELF_ONLY';
}
