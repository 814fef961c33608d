import { fork } from 'node:child_process';
import { once } from 'node:events';
import { z } from 'zod';

const startedSchema = z.object({
  url: z.string(),
  clientKey: z.string(),
  clientSecret: z.string(),
  accounts: z.array(
    z.object({
      ...{ openId: z.string(), accessToken: z.string(), refreshToken: z.string(), scope: z.string() },
      ...{ expiresIn: z.number(), refreshExpiresIn: z.number() },
    }),
  ),
});

/** A simulated TikTok in another process, with connected users. */
export type SimulatedTikTok = z.infer<typeof startedSchema>;

/** Starts one, which ends with the signal or with this process. */
export async function startSimulatedTikTok(
  { accountCount, processingMs }: { readonly accountCount: number; readonly processingMs: number },
  signal: AbortSignal,
): Promise<SimulatedTikTok> {
  const args = [String(accountCount), String(processingMs)];
  const child = fork(new URL('./simulator-process.js', import.meta.url), args, {
    env: {},
    signal,
    killSignal: 'SIGKILL',
  });
  child.on('error', () => undefined);
  child.on('exit', () => child.emit('error', new Error('the simulated TikTok has ended')));
  const [message] = await once(child, 'message', { signal });
  return startedSchema.parse(message);
}
