import { expect } from 'vitest';
import { z } from 'zod';
import { runCommand, startCommand } from '../cli/command.ts';

const simulatorDocument = z.object({
  url: z.string(),
  clientKey: z.string(),
  clientSecret: z.string(),
  account: z.looseObject({ openId: z.string(), accessToken: z.string(), refreshToken: z.string() }),
});
const serviceDocument = z.looseObject({ url: z.string() });
const postsDocument = z.array(z.looseObject({ title: z.string().nullish(), sha256: z.string().nullish() }));

/** What runs in the first two terminals of the README. */
export interface Terminals {
  readonly simulatorUrl: string;
  /** Address of the web server. */
  readonly serviceUrl: string;
}

/** The first two terminals of the README: a simulator, and the service with the simulator's account `simulated`. */
export async function startTerminals(env: Record<string, string>): Promise<Terminals> {
  const simulator = startCommand(['simulator', '--json', '--processing-ms', '100'], {});
  const { url, clientKey, clientSecret, account } = simulatorDocument.parse(await simulator.document());
  const settings = {
    ...env,
    TIKTOK_API_BASE_URL: url,
    TIKTOK_CLIENT_KEY: clientKey,
    TIKTOK_CLIENT_SECRET: clientSecret,
  };
  const { accessToken, refreshToken } = account;
  const add = ['accounts', 'add', 'simulated', '--open-id', account.openId];
  expect((await runCommand(add, settings, JSON.stringify({ accessToken, refreshToken }))).exitCode).toBe(0);
  const service = serviceDocument.parse(await startCommand(['start', '--json'], settings).document());
  return { simulatorUrl: url, serviceUrl: service.url };
}

/** The posts that TikTok, as simulated, has got. */
export async function postsOf(simulatorUrl: string) {
  return postsDocument.parse(await (await fetch(`${simulatorUrl}/__simulator/posts`)).json());
}
