import { openMetricsServer } from '../../app/open-metrics-server.ts';
import { openWorkers } from '../../app/open-workers.ts';
import { WORKER_KINDS, type WorkerKind } from '../../workers/runtime/worker-kinds.ts';
import type { CommandContext } from '../cli-io.ts';
import type { ExitCode } from '../exit-codes.ts';
import { redisSentence, serve } from '../serve.ts';

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
