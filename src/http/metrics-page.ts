import type { FastifyInstance } from 'fastify';
import type { Metrics } from '../observability/metrics.ts';

/** Adds `/metrics`, which Prometheus asks for; it holds no secret. */
export function registerMetrics(server: FastifyInstance, metrics: Pick<Metrics, 'render' | 'contentType'>): void {
  server.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.render()));
}
