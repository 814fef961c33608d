import { openServer } from '../../app/open-server.ts';
import { openWorkers } from '../../app/open-workers.ts';
import { WORKER_KINDS } from '../../workers/runtime/worker-kinds.ts';
import type { CommandContext } from '../cli-io.ts';
import type { ExitCode } from '../exit-codes.ts';
import { redisSentence, serve } from '../serve.ts';

/** `start`: workers and web server in one process. */
export async function start(context: CommandContext): Promise<ExitCode> {
  return await serve(context, { opensServer: true }, async (service) => {
    const workers = await openWorkers(service);
    const { url } = await openServer(service, workers);
    return { value: { url, workers: WORKER_KINDS }, text: `Publishing. ${redisSentence(service)} ${linksText(url)}` };
  });
}

/** `server`: the web server alone. */
export async function server(context: CommandContext): Promise<ExitCode> {
  return await serve(context, { opensServer: true }, async (service) => {
    const { url } = await openServer(service);
    return { value: { url }, text: `${redisSentence(service)} ${linksText(url)}` };
  });
}

function linksText(url: string): string {
  return `Board ${url}/board, console ${url}/, API ${url}/docs, metrics ${url}/metrics. Press Ctrl-C to stop.`;
}
