import { createServer } from 'node:net';
import { afterEach } from 'vitest';
import { createTikTokClient, type TikTokClientOptions } from '../../../src/tiktok/create-tiktok-client.ts';
import type { RequestObservation, TikTokClient } from '../../../src/tiktok/tiktok-client.ts';
import { type FakeTikTok, startFakeTikTok } from '../../fakes/tiktok-server.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A client with short times, and the fake TikTok it talks to; both end with the test. */
export async function clientUnderTest(
  options: Partial<TikTokClientOptions> = {},
): Promise<{ client: TikTokClient; server: FakeTikTok; observations: RequestObservation[] }> {
  const server = await startFakeTikTok();
  closers.push(server.close);
  const observations: RequestObservation[] = [];
  const client = createTikTokClient({
    apiBaseUrl: server.url,
    timeouts: { connectMs: 1_000, answerMs: 5_000, stallMs: 5_000 },
    briefRetry: { firstDelayMs: 1, totalMs: 5_000 },
    onRequest: (observation) => observations.push(observation),
    ...options,
  });
  closers.push(client.close);
  return { client, server, observations };
}

/** Base URL of a port on which nothing listens. */
export async function unusedUrl(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('expected a port');
  return `http://127.0.0.1:${address.port}`;
}

/** TikTok's envelope. */
export function envelope(data: unknown, error: Record<string, unknown> = {}): Record<string, unknown> {
  return { data, error: { code: 'ok', message: '', log_id: 'log-1', ...error } };
}
