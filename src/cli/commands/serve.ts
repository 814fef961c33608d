import { setTimeout as sleep } from 'node:timers/promises';
import { loadConfig } from '../../config/load-config.ts';
import { SECOND_MS } from '../../core/units.ts';
import { WORKER_KINDS, type WorkerKind } from '../../workers/index.ts';
import type { CommandContext } from '../command-context.ts';
import { openServer, openService, openWorkers, type Service } from '../compose-service.ts';
import { EXIT_CODES, type ExitCode } from '../exit-codes.ts';
import { type Foundation, openFoundation } from '../foundation.ts';
import { interruptible, untilAborted } from '../interrupt.ts';

/** For what follows the drain: closing connections, and a Redis of our own writing its data to disk. */
const CLOSE_GRACE_MS = 3 * SECOND_MS;

/** What a running service says of itself once it is up. */
interface Announcement {
  readonly value: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** `start`: workers and web server in one process. */
export async function start(context: CommandContext): Promise<ExitCode> {
  return await serve(context, async (service) => {
    const workers = await openWorkers(service);
    const { url } = await openServer(service, workers);
    return { value: { url, workers: WORKER_KINDS }, text: `Publishing. ${linksText(url)}` };
  });
}

/** `worker`: workers alone. */
export async function worker(
  { only }: { readonly only?: readonly WorkerKind[] },
  context: CommandContext,
): Promise<ExitCode> {
  return await serve(context, async (service) => {
    await openWorkers(service, { only });
    const kinds = only ?? WORKER_KINDS;
    return { value: { workers: kinds }, text: `Workers run: ${kinds.join(', ')}. Ctrl-C stops them.` };
  });
}

/** `server`: the web server alone. */
export async function server(context: CommandContext): Promise<ExitCode> {
  return await serve(context, async (service) => {
    const { url } = await openServer(service);
    return { value: { url }, text: linksText(url) };
  });
}

/** Runs until a signal; then drains and closes within `SHUTDOWN_TIMEOUT_MS`. A second signal ends it at once. */
async function serve(
  { io, output }: CommandContext,
  open: (service: Service) => Promise<Announcement>,
): Promise<ExitCode> {
  const config = loadConfig(io.env);
  return await interruptible(async (signal) => {
    const foundation = await openFoundation(config);
    try {
      const { value, text } = await open(await openService(foundation));
      output.answer(value, text);
      await untilAborted(signal);
      foundation.log.info('stopping');
    } finally {
      await closeInTime(foundation);
    }
    return EXIT_CODES.success;
  });
}

/** What must be handed back waits for Redis; a Redis that is gone must not hold the process. */
async function closeInTime({ close, config, log }: Foundation): Promise<void> {
  const deadline = new AbortController();
  const late = sleep(config.shutdownTimeoutMs + CLOSE_GRACE_MS, 'late', { signal: deadline.signal }).catch(
    () => 'done',
  );
  const outcome = await Promise.race([close().then(() => 'done'), late]);
  deadline.abort();
  if (outcome === 'done') log.info('stopped');
  else log.warn('stopped without closing everything: Redis did not answer in time; other workers take the jobs over');
}

function linksText(url: string): string {
  return `Board ${url}/board, metrics ${url}/metrics. Ctrl-C stops it.`;
}
