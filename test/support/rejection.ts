import { expect } from 'vitest';
import { PublishError } from '../../src/core/publish-error.ts';

/** The PublishError that a call rejects with. */
export async function rejection(call: Promise<unknown>): Promise<PublishError> {
  const outcome = await call.then(
    () => 'resolved',
    (error: unknown) => error,
  );
  expect(outcome).toBeInstanceOf(PublishError);
  if (outcome instanceof PublishError) return outcome;
  throw outcome;
}
