const HIDDEN = '[hidden]';
const SECRET_NAME = /token|secret|password|authorization|cookie|api-?_?key|upload_?url/i;
/** Names that only sound like a secret. */
const HARMLESS_NAME = /^(tiktok)?(token|secret)(Expires|Kind|Type)/i;

const REPLACEMENTS: readonly (readonly [RegExp, string])[] = [
  // TikTok's tokens and Standard Webhooks' secrets name their kind.
  [/\b(act|rft|clt)\.[\w!.~%+/=-]{8,}/g, `$1.${HIDDEN}`],
  [/\bwhsec_[\w+/=-]+/g, `whsec_${HIDDEN}`],
  [/\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/gi, `$1 ${HIDDEN}`],
  // What an upload URL or a presigned URL proves itself with is its query; a login may stand before the host.
  [/(\b[a-z][a-z\d+.-]*:\/\/)[^\s/@"'<>]+@/gi, `$1${HIDDEN}@`],
  [/(\bhttps?:\/\/[^\s?#"'<>]+)[?#][^\s"'<>]*/gi, `$1?${HIDDEN}`],
  [/\b((?:access|refresh|upload)_?token|client_?secret|signature)=[^\s&"'<>]+/gi, `$1=${HIDDEN}`],
];

/**
 * A copy of a JSON value in which whatever looks like a token, a login or a URL's query is hidden. Nothing of the kind
 * should lie in a queue at all; this is the second lock, for entries that other programs made.
 */
export function redactSecrets(value: unknown): unknown {
  if (typeof value === 'string') return redactText(value);
  if (Array.isArray(value)) return value.map(redactSecrets);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, isSecret(name, inner) ? HIDDEN : redactSecrets(inner)]),
  );
}

/** A text in which whatever looks like a token, a login or a URL's query is hidden. */
export function redactText(text: string): string {
  return REPLACEMENTS.reduce((redacted, [pattern, replacement]) => redacted.replace(pattern, replacement), text);
}

function isSecret(name: string, value: unknown): boolean {
  return typeof value === 'string' && SECRET_NAME.test(name) && !HARMLESS_NAME.test(name);
}
