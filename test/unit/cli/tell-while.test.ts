import { expect, it, onTestFinished, vi } from 'vitest';
import { tellWhile } from '../../../src/cli/tell-while.ts';
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
