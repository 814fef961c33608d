import type { FastifyInstance } from 'fastify';
import { orLate } from '../core/deadline.ts';
import { SECOND_MS } from '../core/units.ts';
import type { Metrics } from '../observability/metrics.ts';

export interface ReadinessCheck {
  readonly name: string;
  /** Resolves when all is well; rejects with an error whose message says what is not, without secrets. */
  check(): Promise<void>;
}

interface CheckOutcome {
  readonly ok: boolean;
  readonly reason?: string;
}

const CHECK_TIMEOUT_MS = 2 * SECOND_MS;

/** Adds `/healthz` (the process is alive) and `/readyz` (everything it needs works; 503 with reasons otherwise). */
export function registerHealth(server: FastifyInstance, checks: readonly ReadinessCheck[]): void {
  server.get('/healthz', { config: { isPublic: true } }, async () => ({ status: 'ok' }));
  server.get('/readyz', async (_request, reply) => {
    const outcomes = await Promise.all(checks.map(async (check) => [check.name, await runCheck(check)] as const));
    const isReady = outcomes.every(([, outcome]) => outcome.ok);
    reply.code(isReady ? 200 : 503);
    return { status: isReady ? 'ready' : 'not_ready', checks: Object.fromEntries(outcomes) };
  });
}

/** A check that hangs, as a ping to a frozen Redis does, is a check that failed. */
async function runCheck({ check }: ReadinessCheck): Promise<CheckOutcome> {
  const late = () => {
    throw new Error(`no response within ${CHECK_TIMEOUT_MS} ms`);
  };
  try {
    await orLate(check(), { withinMs: CHECK_TIMEOUT_MS, late });
    return { ok: true };
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? error.message : 'failed' };
  }
}

/** Adds `/metrics`, which Prometheus asks for; it holds no secret. */
export function registerMetrics(server: FastifyInstance, metrics: Pick<Metrics, 'render' | 'contentType'>): void {
  server.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.render()));
}
