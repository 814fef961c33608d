import { createHash } from 'node:crypto';
import { stringify } from 'safe-stable-stringify';
import type { PublishRequest } from './publish-request.ts';

/** SHA-256 (hex) of a request; the order of its fields does not matter. */
export function digestRequest(request: PublishRequest): string {
  const { version: _version, ...meaning } = request;
  return sha256Hex(stringify(meaning));
}

/** SHA-256 (hex) of a text, for keys of any length and content. */
export function sha256Hex(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
