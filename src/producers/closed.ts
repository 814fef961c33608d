import { PublishError } from '../core/publish-error.ts';

/** The error of a call to a publisher that was closed. */
export function publisherClosed(): PublishError {
  return new PublishError('INPUT_INVALID', { reason: 'the publisher is closed: create a new one' });
}
