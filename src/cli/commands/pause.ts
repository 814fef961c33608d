import { pausedLine } from '../../core/publishing-pause.ts';
import type { CommandContext } from '../cli-io.ts';
import type { ExitCode } from '../exit-codes.ts';
import { parseTime } from '../parse-time.ts';
import { withClient } from '../with-client.ts';

const NOT_PAUSED = { paused: false, reason: null, until: null, since: null, by: null };

interface PauseCommandOptions {
  readonly reason?: string;
  readonly until?: string;
  readonly untilResumed?: boolean;
}

/** `pause`: holds back all that is not sent yet. */
export async function pause(
  { reason, until, untilResumed = false }: PauseCommandOptions,
  { io, output }: CommandContext,
): Promise<ExitCode> {
  return await withClient({ io, output }, async ({ publisher }) => {
    const end = until === undefined ? undefined : parseTime(until, Date.now());
    const pause = await publisher.pause({ reason, until: untilResumed ? null : end });
    output.answer(
      { ...pause, paused: true },
      `${pausedLine(pause)}\nUploads under way finish. To go on: tiktok-publisher resume`,
    );
  });
}

/** `paused`: whether all publishing is paused, and why. */
export async function paused({ io, output }: CommandContext): Promise<ExitCode> {
  return await withClient({ io, output }, async ({ publisher }) => {
    const pause = await publisher.paused();
    output.answer({ ...NOT_PAUSED, ...(pause && { ...pause, paused: true }) }, pausedLine(pause));
  });
}

/** `resume`: lets all that was held back go on. */
export async function resume({ io, output }: CommandContext): Promise<ExitCode> {
  return await withClient({ io, output }, async ({ publisher }) => {
    const before = await publisher.paused();
    await publisher.resume();
    output.answer(NOT_PAUSED, before === null ? pausedLine(null) : 'Publishing goes on.');
  });
}
