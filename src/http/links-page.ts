import { escapeHtml } from './escape-html.ts';
import { renderPage } from './html-page.ts';
import { DOCS_PATH } from './v1/docs-page.ts';

type Link = readonly [path: string, name: string, meaning: string];

/** Where one signs in to the console. */
export const SIGN_IN_PATH = '/sign-in';

const LINKS: readonly Link[] = [
  ['/board', 'Queues', 'all jobs in their queues (Bull Board)'],
  [DOCS_PATH, 'API', 'documentation of the HTTP API, from /openapi.json'],
  ['/metrics', 'Metrics', 'metrics for Prometheus'],
  ['/readyz', 'Readiness', 'readiness: whether the workers can take jobs from Redis'],
  ['/healthz', 'Health', 'liveness: whether this process is alive'],
];
/** Those that are open to whoever may look at the console. */
export const OPEN_LINKS: readonly Link[] = LINKS.slice(1);
const CONSOLE: Link = [SIGN_IN_PATH, 'Console', 'what needs a person: publishes, accounts, keys; asks you to sign in'];

/** Links to what is beside the console. */
export function linksHtml(basePath: string, links = LINKS): string {
  const items = links.map(
    ([path, name, meaning]) => `  <dt><a href="${escapeHtml(basePath + path)}">${name}</a></dt><dd>${meaning}</dd>`,
  );
  return `<dl>\n${items.join('\n')}\n</dl>`;
}

/** What programs and those who are not signed in see at `/`. */
export function linksPage(basePath: string, { hasConsole }: { readonly hasConsole: boolean }): string {
  return renderPage({
    title: 'tiktok-publisher',
    body: `<p>A background job queue that publishes videos to TikTok.</p>\n${linksHtml(basePath, hasConsole ? [CONSOLE, ...LINKS] : LINKS)}`,
  });
}
