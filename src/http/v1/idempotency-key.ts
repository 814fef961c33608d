import { z } from 'zod';
import { MAX_IDEMPOTENCY_KEY_LENGTH } from '../../core/publish-request.ts';

/** The header `Idempotency-Key`. */
export const idempotencyKeySchema = z
  .string()
  .min(1)
  .max(MAX_IDEMPOTENCY_KEY_LENGTH, `expected at most ${MAX_IDEMPOTENCY_KEY_LENGTH} characters`)
  .optional();

/** The header as the library takes it. */
export function keyOf(headers: { readonly 'idempotency-key'?: string | undefined }): { idempotencyKey?: string } {
  const idempotencyKey = headers['idempotency-key'];
  return idempotencyKey === undefined ? {} : { idempotencyKey };
}
