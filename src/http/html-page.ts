import { createHash } from 'node:crypto';
import { escapeHtml } from './escape-html.ts';
import { imageSource, type PageLook, renderLook } from './page-look.ts';

export interface HtmlPage {
  readonly title: string;
  /** HTML: whatever comes from outside must have gone through {@link escapeHtml}. */
  readonly body: string;
  /** Default: plain. */
  readonly look?: PageLook | undefined;
  /** More CSS, after that of every page. */
  readonly style?: string | undefined;
  /** HTML above the title. */
  readonly top?: string | undefined;
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

const STYLE = `
  :root { color-scheme: light dark; background: light-dark(#fff, #121212); color: light-dark(#111, #eee) }
  a { color: light-dark(#0645ad, #9ecbff) }
  body { font: 1rem/1.6 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem; overflow-wrap: anywhere }
  @media (max-width: 40rem) { body { margin: 1rem auto } }
  dt { font-weight: 600 } dd { margin: 0 0 .6rem }
`;

/** The style of a page with more CSS, as the only one that its policy allows. */
export function styleSource(style: string): string {
  return inlineSource(STYLE + style);
}

/** What stands inline in a page, for its policy. */
export function inlineSource(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

/** A whole page, readable in light and dark. */
export function renderPage({ title, body, look = {}, style = '', top = '' }: HtmlPage): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(look.name === undefined ? title : `${title} – ${look.name}`)}</title>
<style>${STYLE}${style}</style>
${renderLook(look)}${top}<main>
<h1>${escapeHtml(title)}</h1>
${body}
</main>
</html>
`;
}
