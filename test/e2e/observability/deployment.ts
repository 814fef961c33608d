import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { z } from 'zod';
import { type SimulatorOptions, startSimulator } from '../../../src/simulator/index.ts';
import { makeVideo } from '../../support/videos.ts';
import { endCommands, freshEnvironment, runCommand, startCommand } from '../cli/command.ts';

/** Starts `start` (or what else is named) as its own process on a simulated TikTok, with the account `acme`. */
export async function startDeployment(
  options: { command?: readonly string[]; env?: Record<string, string>; simulator?: SimulatorOptions } = {},
) {
  const simulator = await startSimulator({ processingMs: 100, ...options.simulator });
  const folder = await mkdtemp(join(tmpdir(), 'tiktok-publisher-observed-'));
  onTestFinished(async () => {
    await endCommands();
    await simulator.close();
    await rm(folder, { recursive: true, force: true });
  });
  const env = freshEnvironment({
    TIKTOK_API_BASE_URL: simulator.url,
    TIKTOK_CLIENT_KEY: simulator.clientKey,
    TIKTOK_CLIENT_SECRET: simulator.clientSecret,
    PREFLIGHT: 'off',
    ...options.env,
  });
  const service = startCommand([...(options.command ?? ['start']), '--json'], env);
  const document = z.looseObject({ url: z.string().optional(), metricsUrl: z.string().optional() });
  const { url, metricsUrl } = document.parse(await service.document());
  const { openId, accessToken, refreshToken } = simulator.addAccount();
  const tokens = JSON.stringify({ accessToken, refreshToken, expiresIn: 7_200 });
  expect(await runCommand(['accounts', 'add', 'acme', '--open-id', openId], env, tokens)).toMatchObject({
    exitCode: 0,
  });
  const video = await makeVideo(folder, 12_000_000);

  return {
    simulator,
    env,
    service,
    url: url ?? metricsUrl ?? '',
    folder,
    /** Publishes the video with the command line and waits for the outcome. */
    publish: async () => {
      const args = ['publish', video, '--account', 'acme', '--privacy', 'SELF_ONLY', '--wait', '--json'];
      const result = await runCommand(args, env);
      return { ...result, job: z.looseObject({ id: z.string(), state: z.string() }).parse(JSON.parse(result.stdout)) };
    },
  };
}
