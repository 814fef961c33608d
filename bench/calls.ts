import type { Publisher } from '../src/producers/publisher.ts';

/** What people and monitoring call again and again, each with its name in tables. */
export const READING_CALLS = {
  metrics: '/metrics',
  list: 'publisher.list',
  search: 'search by state and account',
  waiting: 'search by waiting reason',
  counts: 'publisher.counts',
  console: "the console's first page",
  board: 'the board page',
} as const;

export type ReadingCall = keyof typeof READING_CALLS;

/** @param url of the web server */
export function readingCalls(
  { list, counts }: Pick<Publisher, 'list' | 'counts'>,
  url: string,
): Record<ReadingCall, () => Promise<unknown>> {
  return {
    metrics: () => load(`${url}/metrics`),
    list: () => list(),
    search: () => list({ state: 'queued', account: 'creator-1', limit: 20 }),
    waiting: () => list({ waitingFor: 'turn', limit: 20 }),
    counts: () => counts(),
    console: () => load(`${url}/`),
    board: () => load(`${url}/board/api/queues?activeQueue=tiktok-status&status=delayed&page=1&jobsPerPage=10`),
  };
}

async function load(url: string): Promise<string> {
  const answer = await fetch(url, { headers: { accept: 'text/html' } });
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
  return await answer.text();
}
