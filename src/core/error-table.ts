import { AUTH_ROWS } from './error-rows/auth.ts';
import { INPUT_ROWS } from './error-rows/input.ts';
import { OPERATION_ROWS } from './error-rows/operation.ts';
import { CALLBACK_ROWS, OUTBOUND_ROWS } from './error-rows/outbound.ts';
import { PROCESSING_ROWS } from './error-rows/processing.ts';
import { REMOTE_MEDIA_ROWS } from './error-rows/remote-media.ts';
import { TIKTOK_ROWS } from './error-rows/tiktok.ts';
import { TRANSFER_ROWS } from './error-rows/transfer.ts';
import type { ErrorRow } from './verdict.ts';

/**
 * Every way a publish job can go wrong, and what follows from it: the one place that decides.
 * Codes are grouped by who can act, are public, and are never renamed; docs/errors.md lists them.
 */
export const ERROR_TABLE = {
  ...INPUT_ROWS,
  ...REMOTE_MEDIA_ROWS,
  ...AUTH_ROWS,
  ...TIKTOK_ROWS,
  ...PROCESSING_ROWS,
  ...TRANSFER_ROWS,
  ...OUTBOUND_ROWS,
  ...CALLBACK_ROWS,
  ...OPERATION_ROWS,
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERROR_TABLE;

/** All codes. */
export const ALL_ERROR_CODES = Object.keys(ERROR_TABLE).filter(isErrorCode);

/** Whether a text is one of our error codes. */
export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERROR_TABLE, text);
}
