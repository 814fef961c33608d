import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startRefreshTimeout } from '../../../src/accounts/refresh-timeout.ts';

/** In a thread of its own, so that it answers while this one is frozen. */
const SERVER = `
const { createServer } = require('node:http');
const { parentPort } = require('node:worker_threads');
const server = createServer((request, response) => {
  parentPort.once('message', () => response.end('new tokens'));
  parentPort.postMessage('asked');
});
server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
`;

async function startServer() {
  const server = new Worker(SERVER, { eval: true });
  onTestFinished(async () => {
    await server.terminate();
  });
  const [port] = await once(server, 'message');
  return {
    url: `http://127.0.0.1:${port}`,
    asked: () => once(server, 'message'),
    answer: () => server.postMessage('answer'),
  };
}

function freeze(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

describe('the time that TikTok has for a refresh', () => {
  it('is not over before what arrived while this process was frozen is read', async () => {
    const { url, asked, answer } = await startServer();
    const { signal, stop } = startRefreshTimeout(2_000);
    const answered = fetch(url, { signal });
    await asked();
    answer();
    freeze(2_200);
    expect(await (await answered).text()).toBe('new tokens');
    stop();
  });

  it('ends when nothing arrives', async () => {
    const { url } = await startServer();
    const { signal, stop } = startRefreshTimeout(10);
    await expect(fetch(url, { signal })).rejects.toMatchObject({ name: 'TimeoutError' });
    stop();
  });
});
