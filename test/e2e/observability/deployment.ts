import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { z } from 'zod';
import type { SimulatorOptions } from '../../../src/simulator/index.ts';
import { makeVideo } from '../../support/videos.ts';
import { addAccount, endCommands, freshEnvironment, runCommand, startCommand, startTikTok } from '../cli/command.ts';

/** Starts `start` (or what else is named) as its own process on a simulated TikTok, with the account `acme`. */
export async function startDeployment(
  options: { command?: readonly string[]; env?: Record<string, string>; simulator?: SimulatorOptions } = {},
) {
  const { simulator, settings } = await startTikTok(options.simulator);
  const folder = await mkdtemp(join(tmpdir(), 'tiktok-publisher-observed-'));
  onTestFinished(async () => {
    await endCommands();
    await rm(folder, { recursive: true, force: true });
  });
  const env = freshEnvironment({ ...settings, PREFLIGHT: 'off', ...options.env });
  const service = startCommand([...(options.command ?? ['start']), '--json'], env);
  const document = z.looseObject({ url: z.string().optional(), metricsUrl: z.string().optional() });
  const { url, metricsUrl } = document.parse(await service.document());
  // It is no traced command: what is traced runs in processes of its own.
  await addAccount(simulator, 'acme', { ...env, OTEL_SDK_DISABLED: 'true' });
  const video = await makeVideo(folder, 12_000_000);

  return {
    simulator,
    env,
    service,
    url: url ?? metricsUrl ?? '',
    folder,
    /** Publishes the video with the command line and waits for the outcome. */
    publish: async (...more: string[]) => {
      const args = ['publish', video, '--account', 'acme', '--privacy', 'SELF_ONLY', '--wait', '--json', ...more];
      const result = await runCommand(args, env);
      return { ...result, job: z.looseObject({ id: z.string(), state: z.string() }).parse(JSON.parse(result.stdout)) };
    },
  };
}
