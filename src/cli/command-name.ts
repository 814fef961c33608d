import type { CliIo } from './cli-io.ts';

/** How to call this program in commands that people are told to paste: as it was called, by its name or through npx. */
export function commandName({ env }: Pick<CliIo, 'env'>): string {
  // npm says so to what `npx` and `npm exec` run.
  return env.npm_command === 'exec' ? 'npx tiktok-publisher' : 'tiktok-publisher';
}
