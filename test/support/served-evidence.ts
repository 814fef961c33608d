import { z } from 'zod';
import type { Evidence } from './secret-search.ts';

const boardAnswer = z.object({
  queues: z.array(z.looseObject({ name: z.string(), jobs: z.array(z.looseObject({ id: z.string() })) })),
});
const PLAIN_PATHS = [
  '/',
  '/healthz',
  '/readyz',
  '/metrics',
  '/board',
  '/docs',
  '/openapi.json',
  '/connect/tiktok',
  '/nowhere',
  '/publishes',
  '/accounts',
  '/subscriptions',
  '/keys',
  '/audit',
];
const API_PATHS = ['/v1/publishes?limit=100', '/v1/publishes', '/v1/accounts', '/v1/callbacks', '/v1/nowhere'];
/** How long an event stream is listened to; what is kept comes at once. */
const LISTEN_MS = 1_000;

/** Asks for a page and keeps all of the answer. */
export async function pageEvidence(url: string, init: RequestInit = {}): Promise<Evidence> {
  const answer = await fetch(url, { redirect: 'manual', ...init });
  const { pathname } = new URL(url);
  const content = `${answer.status} ${JSON.stringify([...answer.headers])}\n${await answer.text()}`;
  return {
    channel: pathname === '/metrics' ? 'metrics' : 'http',
    place: `${init.method ?? 'GET'} ${pathname}`,
    content,
  };
}

/** Listens to an event stream for a moment and keeps what it sent. */
async function streamEvidence(url: string, headers: Record<string, string>): Promise<Evidence> {
  const { pathname } = new URL(url);
  const answer = await fetch(url, { headers, signal: AbortSignal.timeout(LISTEN_MS) });
  let content = '';
  try {
    for await (const piece of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) content += piece;
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'TimeoutError') throw error;
  }
  return { channel: 'http', place: `GET ${pathname}, a stream`, content };
}

/** How the two kinds of callers show who they are. */
export interface CallerHeaders {
  readonly board: Record<string, string>;
  readonly api: Record<string, string>;
}

/**
 * Everything a web server shows: its pages, its API with the events it keeps, and of the board every queue and every job
 * with its log and its page.
 */
export async function servedEvidence(url: string, { board: boardHeaders, api }: CallerHeaders): Promise<Evidence[]> {
  const get = (path: string) => pageEvidence(`${url}${path}`, { headers: boardHeaders });
  const pages = await Promise.all(PLAIN_PATHS.map(get));
  const board = await fetch(`${url}/board/api/queues?jobsPerPage=1`, { headers: boardHeaders });
  const { queues } = boardAnswer.parse(await board.json());
  const ofQueues = await Promise.all(queues.map(({ name }) => queueEvidence(name, url, boardHeaders)));
  const ofApi = await Promise.all(API_PATHS.map((path) => pageEvidence(`${url}${path}`, { headers: api })));
  const events = await streamEvidence(`${url}/v1/events`, { ...api, 'last-event-id': '0' });
  return [...pages, ...ofApi, events, ...ofQueues.flat()];
}

async function queueEvidence(queue: string, url: string, headers: Record<string, string>): Promise<Evidence[]> {
  const query = new URLSearchParams({ activeQueue: queue, status: 'latest', page: '1', jobsPerPage: '300' });
  const list = await pageEvidence(`${url}/board/api/queues?${query}`, { headers });
  const { queues } = boardAnswer.parse(JSON.parse(String(list.content).split('\n').slice(1).join('\n')));
  const ids = queues.find(({ name }) => name === queue)?.jobs.map(({ id }) => id) ?? [];
  const ofJobs = ids.flatMap((id) =>
    [`/board/api/queues/${queue}/${id}`, `/board/api/queues/${queue}/${id}/logs`, `/publishes/${id}`].map((path) =>
      pageEvidence(`${url}${path}`, { headers }),
    ),
  );
  return [list, ...(await Promise.all(ofJobs))];
}
