/**
 * Headers of everything under the board: nothing is loaded from elsewhere (Bull Board asks for fonts of Google's), and
 * nobody may frame a page that has a button.
 */
export const BOARD_HEADERS = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self' data:",
    "connect-src 'self'",
    "worker-src 'self' blob:",
    "base-uri 'self'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const;

/**
 * Bull Board offers all that it can do to a queue that is not read-only. These are the buttons that would be refused;
 * the retry of a failed job, known by its icon, is left. Its menus have nothing else that changes something.
 */
const ONLY_RETRY = `
  [class*="queueActions-"], button[class*="rigger-"][aria-haspopup="menu"],
  [role="menuitem"]:has(.lucide-pause, .lucide-play, .lucide-refresh-cw),
  [class*="jobActions-"] li:not(:has(.lucide-refresh-cw)) { display: none !important }
`;

/** Bull Board's page without what it loads from elsewhere, and without the buttons that would be refused. */
export function tidyBoardPage(html: string): string {
  return html
    .replaceAll(/<link\b[^>]*href="https?:[^>]*>/g, '')
    .replace('</head>', () => `<style>${ONLY_RETRY}</style></head>`);
}
