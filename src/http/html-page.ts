export interface HtmlPage {
  readonly title: string;
  /** HTML: whatever comes from outside must have gone through {@link escapeHtml}. */
  readonly body: string;
}

/** Headers of every page: nothing is loaded from elsewhere, nobody may frame it, and no address of ours is passed on. */
export const PAGE_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
} as const;

/** A whole page, plain and readable in light and dark. */
export function renderPage({ title, body }: HtmlPage): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>
  :root { color-scheme: light dark }
  body { font: 1rem/1.6 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem; overflow-wrap: anywhere }
  @media (max-width: 40rem) { body { margin: 1rem auto } }
  dt { font-weight: 600 } dd { margin: 0 0 .6rem }
</style>
<h1>${escapeHtml(title)}</h1>
${body}
</html>
`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** A text as HTML that shows it. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}
