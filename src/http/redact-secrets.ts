import { MAX_REQUEST_DEPTH } from '../core/request-depth.ts';

const HIDDEN = '[hidden]';
const SECRET_NAME = /token|secret|password|authorization|cookie|api-?_?key|upload_?url/i;
/** Names that only sound like a secret. */
const HARMLESS_NAME = /^(tiktok)?(token|secret)(Expires|Kind|Type)/i;

const REPLACEMENTS: readonly (readonly [RegExp, string])[] = [
  // TikTok's tokens and Standard Webhooks' secrets name their kind.
  [/(?<![A-Za-z0-9])(act|rft|clt)\.[\w!.~*%+/=-]{8,}/g, `$1.${HIDDEN}`],
  [/\bwhsec_[\w+/=-]+/g, `whsec_${HIDDEN}`],
  [/\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/gi, `$1 ${HIDDEN}`],
  // What an upload URL or a presigned URL proves itself with is its query; a login may stand before the host.
  [/(\b[a-z][a-z\d+.-]{0,20}:\/\/)[^\s/@"'<>]+@/gi, `$1${HIDDEN}@`],
  [/\b((?:access|refresh|upload)_?token|client_?secret|signature)=[^\s&"'<>]+/gi, `$1=${HIDDEN}`],
];

/** Matches every URL to its end, so that no text makes it begin again within one. */
const URL_PARTS = /(\bhttps?:\/\/[^\s?#"'<>]+)([?#][^\s"'<>]*)?/gi;

/**
 * A copy of a JSON value in which whatever looks like a token, a login or a URL's query is hidden. Nothing of the kind
 * should lie in a queue at all; this is the second lock, for entries that other programs made.
 */
export function redactSecrets(value: unknown): unknown {
  return redacted(value, false, MAX_REQUEST_DEPTH);
}

/** @param isSecret whether a field around it is named like a secret, so that all texts in it count as such */
function redacted(value: unknown, isSecret: boolean, levelsLeft: number): unknown {
  if (typeof value === 'string') return isSecret ? HIDDEN : redactText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (levelsLeft === 0) return '…';
  if (Array.isArray(value)) return value.map((inner) => redacted(inner, isSecret, levelsLeft - 1));
  const fields = Object.entries(value).map(([name, inner]) => [
    redactText(name),
    redacted(inner, isSecret || isSecretName(name), levelsLeft - 1),
  ]);
  return Object.fromEntries(fields);
}

/** A text in which whatever looks like a token, a login or a URL's query is hidden. */
export function redactText(text: string): string {
  const withoutQueries = text.replace(URL_PARTS, (_url, shown: string, query?: string) =>
    query === undefined ? shown : `${shown}?${HIDDEN}`,
  );
  return REPLACEMENTS.reduce((shown, [pattern, replacement]) => shown.replace(pattern, replacement), withoutQueries);
}

function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name) && !HARMLESS_NAME.test(name);
}
