import { describe, expect, it } from 'vitest';
import { runCli } from '../../../src/cli/run-cli.ts';
import { startSimulator } from '../../../src/simulator/index.ts';
import { capturedIo } from './captured-io.ts';

async function conformance(...args: string[]) {
  const io = capturedIo({ env: {} });
  const exitCode = await runCli(['conformance', ...args], io);
  return { exitCode, ...io.printed() };
}

describe('the command conformance', () => {
  it('exits with 1 and shows what was broken, and with 0 after a reset', async () => {
    await using simulator = await startSimulator();
    await fetch(`${simulator.url}/v2/post/publish/status/fetch`, { method: 'POST' });
    const first = await conformance(simulator.url);
    expect(first.stdout).toContain('BROKEN  path  (1 of 1)');
    expect(first.stdout).toContain('- POST /v2/post/publish/status/fetch');
    expect(first.exitCode).toBe(1);
    simulator.reset();
    const { exitCode, stdout } = await conformance(new URL(simulator.url).host, '--json');
    expect(JSON.parse(stdout)).toEqual(simulator.conformance());
    expect(exitCode).toBe(0);
  }, 30_000);

  it.each(['http://127.0.0.1:1', '127.0.0.1:1', 'http://'])(
    'exits with 3 where no simulator answers: %s',
    async (url) => {
      const { exitCode, stdout, stderr } = await conformance(url);
      expect(stderr).toContain(`no simulator answers at ${url}`);
      expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: '' });
    },
  );
});
