import { describe, expect, it } from 'vitest';
import { createOutput } from '../../../src/cli/cli-io.ts';
import { runCli } from '../../../src/cli/run-cli.ts';
import { capturedIo } from './captured-io.ts';

const COMMANDS = new Set(['start', 'accounts']);
const THROUGH_NPX = { npm_command: 'exec', npm_lifecycle_event: 'npx' };

/** What each way to print makes of a text. */
function printed(text: string, env: Record<string, string>, json = false) {
  const io = capturedIo({ env });
  const output = createOutput(io, json, COMMANDS);
  for (const print of [output.note, output.fail, output.step]) print(text);
  for (const answer of [output.answer, output.answerProse]) answer({ text }, text);
  return io.printed();
}

describe('a command in a text', () => {
  const TEXT = 'Run `tiktok-publisher start`, or: tiktok-publisher accounts list';

  it('is told as the program was called, by its name or through npx', () => {
    const lines = (text: string) => `${text}\n`.repeat(3);
    expect(printed(TEXT, {}).stdout).toBe(lines(TEXT));
    const throughNpx = 'Run `npx tiktok-publisher start`, or: npx tiktok-publisher accounts list';
    const { stdout, stderr } = printed(TEXT, THROUGH_NPX);
    expect(stdout).toBe(lines(throughNpx));
    expect(stderr).toBe(`${throughNpx}\n`.repeat(2));
  });

  it('stays as it is in JSON, and where the name stands for something else', () => {
    expect(printed(TEXT, THROUGH_NPX, true).stdout).toBe(`${JSON.stringify({ text: TEXT })}\n`.repeat(2));
    const other = 'tiktok-publisher is here: /opt/tiktok-publisher start, node tiktok-publisher.js start';
    expect(printed(other, THROUGH_NPX).stdout).not.toContain('npx');
  });

  it('is told so in errors, too', async () => {
    const io = capturedIo({ env: { ...THROUGH_NPX, DATA_DIR: '/nowhere' } });
    await runCli(['accounts', 'list'], io);
    expect(io.printed().stderr).toContain('npx tiktok-publisher start');
  });
});
