import { createServer, type MetricsServerOptions } from './create-server.ts';
import { listen, type WebServer } from './listen.ts';

/**
 * Serves what watches over a worker and nothing else: `/metrics`, `/healthz` and `/readyz`.
 * @throws PublishError `CONFIG_PORT_TAKEN`, or `CONFIG_INVALID` when the host or port can't be listened on
 */
export async function startMetricsServer(options: MetricsServerOptions): Promise<WebServer> {
  const { host, port } = options;
  const variables = { host: 'METRICS_HOST', port: 'METRICS_PORT' };
  return await listen(await createServer(options), { host, port, variables });
}
