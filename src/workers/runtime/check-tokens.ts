import { orLate } from '../../core/deadline.ts';
import type { TokenSource } from '../../core/ports.ts';
import { PublishError } from '../../core/publish-error.ts';
import { SECOND_MS } from '../../core/units.ts';

/** What may stand in an `Authorization` header: visible ASCII. */
const TOKEN_FORM = /^[\x21-\x7e]+$/;

/** How long a source may take (ms): a job that waits for it occupies a worker. */
const ANSWER_WITHIN_MS = 30 * SECOND_MS;

/**
 * Makes another app's token source keep the port's promise: its own errors and its silence become errors that pass, and
 * what is not a token is not sent to TikTok. Neither is quoted, since both may contain secrets.
 */
export function checkTokens(source: TokenSource, answerWithinMs = ANSWER_WITHIN_MS): TokenSource {
  return {
    async accessToken(account, options = {}) {
      const token: unknown = await inTime(account, answerWithinMs, askSource(source, account, options));
      if (typeof token === 'string' && TOKEN_FORM.test(token)) return token;
      throw new PublishError('INPUT_ACCOUNT_UNKNOWN', {
        reason: `the app's token source has no usable token for "${account}"`,
      });
    },
  };
}

async function askSource(...[source, account, options]: [TokenSource, ...Parameters<TokenSource['accessToken']>]) {
  try {
    return await source.accessToken(account, options);
  } catch (error) {
    if (error instanceof PublishError || options?.signal?.aborted) throw error;
    const kind = error instanceof Error ? error.name : typeof error;
    // Nothing of the job was sent.
    throw new PublishError('TRANSPORT_CONNECT_FAILED', {
      reason: `the app's token source failed for "${account}" (${kind})`,
    });
  }
}

/** The source may go on: a renewal under way must not lose TikTok's answer. */
function inTime<T>(account: string, withinMs: number, answer: Promise<T>): Promise<T> {
  return orLate(answer, {
    withinMs,
    late: () => {
      const reason = `the app's token source did not respond within ${withinMs / SECOND_MS} s for "${account}"`;
      throw new PublishError('TRANSPORT_CONNECT_FAILED', { reason });
    },
    // A source that never answers must not hold a process that has closed its workers.
    holdsProcess: false,
  });
}
