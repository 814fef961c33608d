import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { affirms } from '../../../src/cli/ask.ts';
import { capturedIo } from './captured-io.ts';

describe('a question at a terminal', () => {
  it.each([
    ['y\n', true],
    [' YES \n', true],
    ['yes', true],
    ['n\n', false],
    ['\n', false],
    ['yes please\n', false],
    ['', false],
  ])('takes %j for %s', async (stdin, isYes) => {
    const io = capturedIo({ stdin });
    expect(await affirms('Post it?', io, new AbortController().signal)).toBe(isYes);
    expect(io.printed().stderr).toBe('Post it? [y/N] ');
  });

  it('ends with Ctrl-C, without an answer', async () => {
    const controller = new AbortController();
    const stdin = new PassThrough();
    const asked = affirms('Post it?', { ...capturedIo(), stdin }, controller.signal);
    controller.abort(new Error('interrupted'));
    await expect(asked).rejects.toThrow('interrupted');
  });
});
