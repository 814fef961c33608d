import type { TokenSource } from '../core/ports.ts';
import { PublishError } from '../core/publish-error.ts';

/** What may stand in an `Authorization` header: visible ASCII. */
const TOKEN_FORM = /^[\x21-\x7e]+$/;

/**
 * Holds another app's token source to what the port promises: what it throws besides our errors is trouble that passes,
 * and what is no token is not sent to TikTok. Neither is quoted, since both may hold secrets.
 */
export function checkTokens(source: TokenSource): TokenSource {
  return {
    async accessToken(account, options = {}) {
      const token: unknown = await askSource(source, account, options);
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
