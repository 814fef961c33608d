import { pauseLine } from '../../core/publishing-pause.ts';
import type { CommandContext } from '../cli-io.ts';
import type { ExitCode } from '../exit-codes.ts';
import { parseTime } from '../parse-time.ts';
import { withClient } from '../with-client.ts';

/** `pause`: holds back all that is not sent yet. */
export async function pause(
  { reason, until }: { readonly reason?: string; readonly until?: string },
  { io, output }: CommandContext,
): Promise<ExitCode> {
  return await withClient({ io, output }, async ({ publisher }) => {
    const end = until === undefined ? undefined : parseTime(until, Date.now());
    const paused = await publisher.pause({ reason, until: end });
    output.answer(paused, `${pauseLine(paused)}\nUploads under way finish. To go on: tiktok-publisher resume`);
  });
}

/** `resume`: lets all that was held back go on. */
export async function resume({ io, output }: CommandContext): Promise<ExitCode> {
  return await withClient({ io, output }, async ({ publisher }) => {
    await publisher.resume();
    output.answer({ paused: false }, 'Publishing goes on.');
  });
}
