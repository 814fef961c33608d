import type { FastifyInstance } from 'fastify';
import { BOARD_PATH } from './board.ts';

const LINKS = [
  [BOARD_PATH, 'Queues', 'every job in its queue (Bull Board)'],
  ['/metrics', 'Metrics', 'Prometheus text'],
  ['/readyz', 'Readiness', 'whether Redis and the workers are there'],
  ['/healthz', 'Health', 'whether this process is alive'],
] as const;

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>tiktok-publisher</title>
<style>
  :root { color-scheme: light dark }
  body { font: 1rem/1.6 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem }
  dt { font-weight: 600 } dd { margin: 0 0 .6rem }
</style>
<h1>tiktok-publisher</h1>
<p>A background job queue that publishes videos to TikTok.</p>
<dl>
${LINKS.map(([path, name, meaning]) => `  <dt><a href="${path}">${name}</a></dt><dd>${meaning}</dd>`).join('\n')}
</dl>
</html>
`;

/** Adds `/`, a plain page with links to the rest. */
export function registerHomePage(server: FastifyInstance): void {
  server.get('/', async (_request, reply) => reply.type('text/html; charset=utf-8').send(PAGE));
}
