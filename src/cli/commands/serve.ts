import { closeInTime, openApp } from '../../app/open-app.ts';
import { openMetricsServer, openServer } from '../../app/open-server.ts';
import { openMeasuredService, type Service } from '../../app/open-service.ts';
import { openWorkers } from '../../app/open-workers.ts';
import { loadConfig } from '../../config/load-config.ts';
import { otherTikTok } from '../../config/tiktok-address.ts';
import { untilAborted } from '../../core/deadline.ts';
import { WORKER_KINDS, type WorkerKind } from '../../workers/runtime/worker-kinds.ts';
import type { CommandContext } from '../cli-io.ts';
import { EXIT_CODES, type ExitCode } from '../exit-codes.ts';
import { interruptible } from '../interrupt.ts';
import { redisText } from '../with-client.ts';

interface Announcement {
  readonly value: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** `start`: workers and web server in one process. */
export async function start(context: CommandContext): Promise<ExitCode> {
  return await serve(context, { opensServer: true }, async (service) => {
    const workers = await openWorkers(service);
    const { url } = await openServer(service, workers);
    return { value: { url, workers: WORKER_KINDS }, text: `Publishing. ${redisSentence(service)} ${linksText(url)}` };
  });
}

/** `worker`: workers alone. */
export async function worker(
  { only }: { readonly only?: readonly WorkerKind[] },
  context: CommandContext,
): Promise<ExitCode> {
  return await serve(context, { opensServer: false }, async (service) => {
    const workers = await openWorkers(service, { only });
    const metricsUrl = (await openMetricsServer(service, workers))?.url;
    const kinds = only ?? WORKER_KINDS;
    const where = metricsUrl === undefined ? '' : ` Metrics ${metricsUrl}/metrics.`;
    return {
      value: { workers: kinds, ...(metricsUrl !== undefined && { metricsUrl }) },
      text: `Workers running: ${kinds.join(', ')}. ${redisSentence(service)}${where} Press Ctrl-C to stop.`,
    };
  });
}

/** `server`: the web server alone. */
export async function server(context: CommandContext): Promise<ExitCode> {
  return await serve(context, { opensServer: true }, async (service) => {
    const { url } = await openServer(service);
    return { value: { url }, text: `${redisSentence(service)} ${linksText(url)}` };
  });
}

/** Runs until a signal; then drains within `SHUTDOWN_TIMEOUT_MS` and closes within 3 s. A second signal ends it at once. */
async function serve(
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

const redisSentence = ({ app: { target } }: Service): string => `Redis ${redisText(target)}.`;

function linksText(url: string): string {
  return `Board ${url}/board, console ${url}/, API ${url}/docs, metrics ${url}/metrics. Press Ctrl-C to stop.`;
}
