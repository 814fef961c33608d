import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { tellWhile, tellWhileBusy } from '../../../src/cli/tell-while.ts';
import { capturedStream } from './captured-io.ts';

/** What is printed while something takes five seconds. */
async function printedWhile(columns?: number): Promise<string> {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const { stream, text } = capturedStream(columns);
  let end: (value: string) => void = () => undefined;
  const work = new Promise<string>((resolve) => {
    end = resolve;
  });
  const telling = tellWhile(stream, 'waiting', work);
  await vi.advanceTimersByTimeAsync(5_000);
  end('done');
  expect(await telling).toBe('done');
  await vi.advanceTimersByTimeAsync(5_000);
  return text();
}

it('tells in new lines that something goes on, at least every two seconds, until it ends', async () => {
  expect((await printedWhile()).split('\n')).toEqual(['waiting (1.5 s)', 'waiting (3.0 s)', 'waiting (4.5 s)', '']);
});

it('rewrites one line of a terminal, and clears it in the end', async () => {
  const text = await printedWhile(80);
  expect(text).toContain('\r\u001B[2Kwaiting (3.0 s)\r\u001B[2Kwaiting (4.0 s)');
  expect(text).not.toContain('\n');
  expect(text.endsWith('\r\u001B[2K')).toBe(true);
});

it('tells it from another thread while this one is busy', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tell-while-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'stderr');
  const fd = openSync(path, 'w');
  onTestFinished(() => closeSync(fd));
  const stream = Object.assign(capturedStream().stream, { fd });
  const loaded = await tellWhileBusy(stream, 'loading', async () => {
    // Gives the thread no turn, as the loading of modules.
    const cell = new Int32Array(new SharedArrayBuffer(4));
    for (let looks = 0; looks < 1_000 && !/loading.*\n.*\n/.test(readFileSync(path, 'utf8')); looks += 1)
      Atomics.wait(cell, 0, 0, 25);
    return 'loaded';
  });
  expect(loaded).toBe('loaded');
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  expect(lines.length).toBeGreaterThan(1);
  expect(lines[0]).toMatch(/^loading \(\d+\.\d s\)$/);
});
