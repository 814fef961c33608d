import { z } from 'zod';
import { addAccount, startCommand, startTikTok } from '../cli/command.ts';

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
  const { simulator, settings: ofTikTok } = await startTikTok();
  const settings = { ...env, ...ofTikTok };
  await addAccount(simulator, 'simulated', settings);
  const service = serviceDocument.parse(await startCommand(['start', '--json'], settings).document());
  return { simulatorUrl: simulator.url, serviceUrl: service.url };
}

/** The posts that TikTok, as simulated, has got. */
export async function postsOf(simulatorUrl: string) {
  return postsDocument.parse(await (await fetch(`${simulatorUrl}/__simulator/posts`)).json());
}
