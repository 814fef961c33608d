import { type FastifyBaseLogger, type FastifyInstance, fastify, LogController } from 'fastify';
import type { Logger } from 'pino';
import type { Metrics } from '../observability/metrics.ts';
import { type ReadinessCheck, registerHealth, registerMetrics } from './health.ts';
import { dropUnusedConnections, limitRequestTime, listen, type WebServer } from './listen.ts';
import { answerWithProblems } from './problem.ts';

export interface MetricsServerOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly metrics: Pick<Metrics, 'render' | 'contentType'>;
  readonly readinessChecks: readonly ReadinessCheck[];
  readonly log: Logger;
}

/**
 * Serves what watches over a worker and nothing else: `/metrics`, `/healthz` and `/readyz`.
 * @throws PublishError `CONFIG_PORT_TAKEN`, or `CONFIG_INVALID` when the host or port can't be listened on
 */
export async function startMetricsServer(options: MetricsServerOptions): Promise<WebServer> {
  const { host, port, metrics, readinessChecks, log } = options;
  const loggerInstance: FastifyBaseLogger = log;
  const server: FastifyInstance = fastify({
    ...limitRequestTime(),
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
  });
  dropUnusedConnections(server);
  answerWithProblems(server, log);
  registerHealth(server, readinessChecks);
  registerMetrics(server, metrics);
  return await listen(server, { host, port, variables: { host: 'METRICS_HOST', port: 'METRICS_PORT' } });
}
