import { closeInTime, openApp } from '../app/open-app.ts';
import { openMeasuredService, type Service } from '../app/open-service.ts';
import { loadConfig } from '../config/load-config.ts';
import { otherTikTok } from '../config/tiktok-address.ts';
import { untilAborted } from '../core/deadline.ts';
import type { CommandContext } from './cli-io.ts';
import { EXIT_CODES, type ExitCode } from './exit-codes.ts';
import { interruptible } from './interrupt.ts';
import { redisText } from './with-client.ts';

interface Announcement {
  readonly value: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** Runs until a signal; then drains within `SHUTDOWN_TIMEOUT_MS` and closes within 3 s. A second signal ends it at once. */
export async function serve(
  { io, output }: CommandContext,
  { opensServer }: { readonly opensServer: boolean },
  open: (service: Service) => Promise<Announcement>,
): Promise<ExitCode> {
  const config = loadConfig(io.env, { sealsTokens: true, opensServer });
  return await interruptible(async (signal) => {
    const app = await openApp(config, { starter: 'service', start: { signal, notify: output.note } }).catch(
      unlessStopped(signal),
    );
    if (app === undefined) return EXIT_CODES.success;
    app.logConsole();
    const elsewhere = otherTikTok(config.tiktok.apiBaseUrl);
    if (elsewhere !== undefined) app.log.warn(elsewhere);
    try {
      const opening = openMeasuredService(app).then(open);
      // A start that waits for Redis is over when it is told to stop.
      const opened = await Promise.race([opening, untilAborted(signal)]);
      const notices = [elsewhere, app.notice].filter((notice) => notice !== undefined);
      if (opened !== undefined) output.answerProse(opened.value, [opened.text, ...notices].join('\n'));
      await untilAborted(signal);
      app.log.info('stopping');
    } finally {
      await closeInTime(app, config.shutdownTimeoutMs);
    }
    return EXIT_CODES.success;
  });
}

/** Stopping a service that still waits for Redis is no error. */
function unlessStopped(signal: AbortSignal) {
  return (error: unknown): undefined => {
    if (!signal.aborted || error !== signal.reason) throw error;
  };
}

/** Which Redis a service uses, for what it says at its start. */
export const redisSentence = ({ app: { target } }: Service): string => `Redis ${redisText(target)}.`;
