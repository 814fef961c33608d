import { escapeHtml } from './escape-html.ts';
import { imageSource, type PageLook, renderLook } from './page-look.ts';

export interface HtmlPage {
  readonly title: string;
  /** HTML: whatever comes from outside must have gone through {@link escapeHtml}. */
  readonly body: string;
  /** Default: plain. */
  readonly look?: PageLook | undefined;
}

/** Headers of every page: nothing is loaded but its logo, nobody may frame it, and no address of ours is passed on. */
export function pageHeaders(look: PageLook = {}) {
  return {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': `default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'${imageSource(look)}`,
    'referrer-policy': 'no-referrer',
  } as const;
}

/** Headers of a plain page. */
export const PAGE_HEADERS = pageHeaders();

/** A whole page, readable in light and dark. */
export function renderPage({ title, body, look = {} }: HtmlPage): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(look.name === undefined ? title : `${title} – ${look.name}`)}</title>
<style>
  :root { color-scheme: light dark }
  body { font: 1rem/1.6 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem; overflow-wrap: anywhere }
  @media (max-width: 40rem) { body { margin: 1rem auto } }
  dt { font-weight: 600 } dd { margin: 0 0 .6rem }
</style>
${renderLook(look)}<h1>${escapeHtml(title)}</h1>
${body}
</html>
`;
}
