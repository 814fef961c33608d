import { PULL_PATH } from '../core/media-route.ts';

/** What stands for a secret. */
export const CENSORED = '[secret]';

/** Longest text that is searched: more of it is not shown anyway. */
const MAX_SHOWN_CHARS = 2_000;

/** A shorter piece of a secret is no use to anybody, and may be a word that occurs by chance. */
const MIN_PIECE_CHARS = 8;

/** TikTok's tokens by their form: `act.` access, `rft.` refresh, `clt.` client (oauth-user-access-token-management, read 2026-11-22). */
const TOKEN_FORM = /(?<![A-Za-z0-9])(?:act|rft|clt)\.[\w!.~*%+/=-]+/g;
/** What follows the path of a URL: an upload URL is a credential by its query, and so is any other signed URL. */
const URL_QUERY = /(\bhttps?:[^\s"'<>?]*)(\?[^\s"'<>]+)?/gi;
/** A link to media of ours is a credential by its path. */
const PULL_TOKEN = new RegExp(`(${PULL_PATH}/)[\\w.-]+`, 'g');
const UPLOAD_FIELD = /\b(upload_(?:token|id)\b["']?\s*[=:]\s*["']?)[\w%.~-]+/gi;

/**
 * A text of TikTok's as it may be shown, stored and logged: answers, and gateways before TikTok, may repeat what was
 * sent. Takes out the credentials of the call, also pieces of them and percent-encoded ones, and whatever looks like
 * a token or the query of a URL.
 */
export function withoutSecrets(text: string, sentSecrets: readonly string[]): string {
  return tokenCensor(sentSecrets)(text.slice(0, MAX_SHOWN_CHARS))
    .replace(URL_QUERY, (_url, shown: string, query?: string) => (query === undefined ? shown : `${shown}?${CENSORED}`))
    .replace(PULL_TOKEN, `$1${CENSORED}`)
    .replace(UPLOAD_FIELD, `$1${CENSORED}`);
}

/**
 * The same for texts whose URLs are needed whole, such as the address of a picture: takes out tokens alone. Made once for
 * all texts of an answer.
 */
export function tokenCensor(sentSecrets: readonly string[]): (text: string) => string {
  const forms = sentSecrets.flatMap((secret) => [...new Set([secret, encodeURIComponent(secret)])]).map(piecesOf);
  return (text) => forms.reduce(censorPieces, text).replace(TOKEN_FORM, CENSORED);
}

interface SecretPieces {
  /** Of each piece (UTF-16 units). */
  readonly length: number;
  readonly pieces: ReadonlySet<string>;
}

function piecesOf(secret: string): SecretPieces {
  const length = Math.min(MIN_PIECE_CHARS, secret.length);
  const pieces = new Set<string>();
  for (let at = 0; length > 0 && at + length <= secret.length; at++) pieces.add(secret.slice(at, at + length));
  return { length, pieces };
}

function censorPieces(text: string, { length, pieces }: SecretPieces): string {
  if (length === 0) return text;
  let censored = '';
  let shownTo = 0;
  for (let at = 0; at + length <= text.length; at++) {
    if (!pieces.has(text.slice(at, at + length))) continue;
    let end = at + length;
    while (end < text.length && pieces.has(text.slice(end + 1 - length, end + 1))) end++;
    censored += text.slice(shownTo, at) + CENSORED;
    shownTo = end;
    at = end - 1;
  }
  return censored + text.slice(shownTo);
}
