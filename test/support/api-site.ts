import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { z } from 'zod';
import { startSite } from './connect-site.ts';

/** What the API answered. */
export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON; undefined if it is none. */
  readonly body: unknown;
}

/** A request that enqueues and needs nobody: no worker runs. */
export const PULL_REQUEST = {
  account: 'acme',
  mode: 'inbox',
  media: { type: 'pull', url: 'https://media.example.com/spring.mp4' },
} as const;

/** A web server with the API, and a short way to call it. */
export async function startApi(env: Record<string, string> = {}, onEnd?: Parameters<typeof startSite>[2]) {
  const site = await startSite({ API_RATE_LIMIT_PER_MINUTE: '1000000', ...env }, {}, onEnd);
  return {
    ...site,
    /** Calls the API; a body goes as JSON. */
    async call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<ApiAnswer> {
      const json = body === undefined ? {} : { 'content-type': 'application/json' };
      const answer = await fetch(`${site.url}${path}`, {
        method,
        headers: { ...json, ...headers },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      return { status: answer.status, headers: answer.headers, text, body: parseJson(text) };
    },
  };
}

export type Api = Awaited<ReturnType<typeof startApi>>;

/** One for all tests of a block, where none meets what another left. */
export function useApi(env: Record<string, string> = {}): () => Api {
  const closers: (() => Promise<void>)[] = [];
  let api: Api;
  beforeAll(async () => {
    api = await startApi(env, (close) => void closers.unshift(close));
  });
  afterAll(async () => {
    for (const close of closers) await close();
  });
  return () => api;
}

const withId = z.looseObject({ id: z.string() });

/** Enqueues and answers the id. */
export async function enqueue(api: Api, request: unknown = PULL_REQUEST): Promise<string> {
  return withId.parse((await api.call('POST', '/v1/publishes', request)).body).id;
}

/** A folder of its own with one file in it, both gone after the test. */
export async function folderWithVideo(): Promise<{ folder: string; file: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'tiktok-publisher-api-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'video.mp4');
  await writeFile(file, 'bytes');
  return { folder, file };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
