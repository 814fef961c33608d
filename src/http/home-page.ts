import type { FastifyInstance } from 'fastify';
import { BOARD_PATH } from './board.ts';
import { PAGE_HEADERS, renderPage } from './html-page.ts';
import { DOCS_PATH } from './v1/docs-page.ts';

const LINKS = [
  [BOARD_PATH, 'Queues', 'all jobs in their queues (Bull Board)'],
  [DOCS_PATH, 'API', 'documentation of the HTTP API, from /openapi.json'],
  ['/metrics', 'Metrics', 'metrics for Prometheus'],
  ['/readyz', 'Readiness', 'readiness: whether the workers can take jobs from Redis'],
  ['/healthz', 'Health', 'liveness: whether this process is alive'],
] as const;

const PAGE = renderPage({
  title: 'tiktok-publisher',
  body: `<p>A background job queue that publishes videos to TikTok.</p>
<dl>
${LINKS.map(([path, name, meaning]) => `  <dt><a href="${path}">${name}</a></dt><dd>${meaning}</dd>`).join('\n')}
</dl>`,
});

/** Adds `/`, a plain page with links to the rest. */
export function registerHomePage(server: FastifyInstance): void {
  server.get('/', async (_request, reply) => reply.headers(PAGE_HEADERS).send(PAGE));
}
