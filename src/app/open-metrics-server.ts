import type { WebServer } from '../http/listen.ts';
import type { RunningWorkers } from '../workers/runtime/start-workers.ts';
import type { Service } from './open-service.ts';
import { redisCheck, workersCheck } from './readiness-checks.ts';

/** Serves the metrics and the health of a process that has workers only, where `METRICS_PORT` says so. */
export async function openMetricsServer(service: Service, workers: RunningWorkers): Promise<WebServer | undefined> {
  const { app, metrics, redis } = service;
  const { config, log } = app;
  if (config.metricsServer === undefined) return undefined;
  // Loaded here alone: most workers need no web server.
  const { startMetricsServer } = await import('../http/start-metrics-server.ts');
  const readinessChecks = [redisCheck(redis), workersCheck(workers)];
  const server = await startMetricsServer({
    ...config.metricsServer,
    ...{ maxConnections: config.http.maxConnections, metrics, log, readinessChecks },
  });
  app.onClose(() => server.close());
  return server;
}
