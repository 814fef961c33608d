import type { Journal, JournalEntry } from '../../src/simulator/index.ts';
import { eventually } from '../support/eventually.ts';
import { accountNames, directPost, type Fleet } from './fleet.ts';

/** What the journal tells about token refreshes. */
export interface Refreshes {
  readonly count: number;
  /** Refreshes that TikTok refused: a refresh token that was used before, among others. */
  readonly refused: readonly JournalEntry[];
  /** Times between two refreshes of the same account (ms). */
  readonly gapsMs: readonly number[];
}

/** Publishes under this load, one job of each account after the other. @returns the jobs' ids */
export async function enqueueRounds(fleet: Fleet, accounts: readonly string[], jobsPerAccount: number, path: string) {
  const rounds = Array.from({ length: jobsPerAccount }, () => accounts.map((account) => directPost(account, path)));
  return await fleet.enqueue(rounds.flat());
}

/** Reads the refreshes from the journal. */
export function refreshesIn(journal: Journal): Refreshes {
  const all = journal.requests({ endpoint: 'token' });
  const accepted = all.filter(({ code }) => code === 'ok');
  const lastAt = new Map<string | undefined, number>();
  const gapsMs: number[] = [];
  for (const { openId, at } of accepted.toSorted((a, b) => a.at - b.at)) {
    const previousAt = lastAt.get(openId);
    if (previousAt !== undefined) gapsMs.push(at - previousAt);
    lastAt.set(openId, at);
  }
  return { count: accepted.length, refused: all.filter(({ code }) => code !== 'ok'), gapsMs };
}

/** What one sudden end of all access tokens led to. */
export interface Wave {
  /** Accounts that met it, by a call that TikTok refused. */
  readonly met: number;
  /** Accounts that met it and were not refreshed exactly once, and accounts refreshed for nothing. */
  readonly wrong: readonly string[];
}

/**
 * Ends all access tokens at once, so that processes meet it side by side, and looks at what they do about it once all
 * these accounts have been refreshed.
 */
export async function endAllTokens({ simulator }: Fleet, openIds: readonly string[], timeoutMs: number): Promise<Wave> {
  const { journal } = simulator;
  const begin = journal.entries.at(-1)?.seq ?? 0;
  for (const openId of openIds) simulator.expireAccessToken(openId);
  const since = () => journal.entries.filter(({ seq }) => seq > begin);
  const untilOver = () => {
    const over = isOver(since());
    const open = openIds.filter((openId) => !over(openId));
    const [first] = open;
    if (first === undefined) return;
    const calls = since().filter(({ openId }) => openId === first);
    throw new Error(`${open.length} accounts are not over it, the first with ${JSON.stringify(calls)}`);
  };
  await eventually(untilOver, { timeoutMs, intervalMs: 250 });
  const met = new Map<string, number>();
  for (const { endpoint, openId, httpStatus } of since()) {
    if (openId === undefined) continue;
    if (httpStatus === 401) met.set(openId, met.get(openId) ?? 0);
    if (endpoint === 'token') met.set(openId, (met.get(openId) ?? 0) + 1);
  }
  return { met: met.size, wrong: [...met].filter(([, refreshes]) => refreshes !== 1).map(([openId]) => openId) };
}

/**
 * Whether an account was refreshed and each of its refused calls was then accepted: another end in between would be a
 * second refusal of the same call.
 */
function isOver(entries: readonly JournalEntry[]): (openId: string) => boolean {
  const refreshed = new Set<string | undefined>();
  const refused = new Map<string | undefined, string[]>();
  for (const { endpoint, openId, publishId, httpStatus } of entries) {
    // An init that is refused has no publish_id yet.
    const call = endpoint === 'status' ? `${endpoint} ${publishId}` : endpoint;
    const open = refused.get(openId) ?? [];
    if (endpoint === 'token') refreshed.add(openId);
    else if (httpStatus === 401) refused.set(openId, [...open, call]);
    else if (httpStatus === 200 && open.includes(call)) refused.set(openId, open.toSpliced(open.indexOf(call), 1));
  }
  return (openId) => refreshed.has(openId) && refused.get(openId)?.length === 0;
}

/** The accounts of a load, added. */
export async function addLoadAccounts(fleet: Fleet, count: number) {
  const names = accountNames('creator', count);
  return { names, openIds: [...(await fleet.addAccounts(names)).values()] };
}
