import { getEventListeners, once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, it, onTestFinished } from 'vitest';
import { orAbort, orLate, startDeadline, withDeadline } from '../../../src/core/deadline.ts';

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

const timeUp = () => new DOMException('no answer in time', 'TimeoutError');
const never = () => new Promise<never>(() => undefined);
const timersOf = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
const listenersOf = (signal: AbortSignal) => getEventListeners(signal, 'abort').length;

describe('the time of a call', () => {
  it('is not over before what arrived while this process was frozen is read', async () => {
    const { url, asked, answer } = await startServer();
    const { signal, stop } = startDeadline({ withinMs: 200, readingMs: 10_000, reason: timeUp });
    const answered = fetch(url, { signal });
    await asked();
    answer();
    freeze(500);
    expect(await (await answered).text()).toBe('new tokens');
    stop();
  });

  it('ends when nothing arrives, also after the time to read', async () => {
    const { url } = await startServer();
    for (const readingMs of [0, 10]) {
      const { signal, stop } = startDeadline({ withinMs: 10, readingMs, reason: timeUp });
      await expect(fetch(url, { signal })).rejects.toMatchObject({ name: 'TimeoutError' });
      stop();
    }
  });

  it("ends with the caller's signal, also one that was aborted before", async () => {
    const caller = new AbortController();
    const options = { withinMs: 60_000, reason: timeUp, signal: caller.signal };
    const run = (signal: AbortSignal) => orAbort(never(), signal);
    const running = withDeadline(options, run);
    caller.abort(new Error('stopped'));
    await expect(running).rejects.toThrow('stopped');
    await expect(withDeadline(options, run)).rejects.toThrow('stopped');
  });

  it('leaves no timer and no listener behind, whether the call succeeds or fails', async () => {
    const { signal } = new AbortController();
    const before = timersOf();
    const options = { withinMs: 60_000, reason: timeUp, signal };
    await withDeadline(options, () => Promise.resolve());
    await expect(withDeadline(options, () => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
    expect(timersOf()).toBe(before);
    expect(listenersOf(signal)).toBe(0);
  });
});

describe('waiting until an abort', () => {
  it('brings what was waited for, or the reason of the abort, and leaves no listener behind', async () => {
    const { signal } = new AbortController();
    expect(await orAbort(Promise.resolve(7), signal)).toBe(7);
    await expect(orAbort(Promise.reject(new Error('failed')), signal)).rejects.toThrow('failed');
    expect(listenersOf(signal)).toBe(0);
    expect(await orAbort(Promise.resolve(7), undefined)).toBe(7);
    const stopped = AbortSignal.abort(new Error('stopped'));
    await expect(orAbort(Promise.reject(new Error('failed')), stopped)).rejects.toThrow('stopped');
  });
});

describe('waiting until the time is up', () => {
  it('brings what was waited for, and leaves no timer behind', async () => {
    const before = timersOf();
    const options = { withinMs: 60_000, late: () => 'late' };
    expect(await orLate(Promise.resolve('in time'), options)).toBe('in time');
    await expect(orLate(Promise.reject(new Error('failed')), options)).rejects.toThrow('failed');
    expect(timersOf()).toBe(before);
  });

  it('ends with what the caller returns or throws instead', async () => {
    expect(await orLate(never(), { withinMs: 1, late: () => 'late' })).toBe('late');
    const late = () => {
      throw new Error('no answer');
    };
    await expect(orLate(never(), { withinMs: 1, late })).rejects.toThrow('no answer');
  });
});
