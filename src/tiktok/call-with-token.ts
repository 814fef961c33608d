import type { TokenSource } from '../core/ports.ts';
import { PublishError } from '../core/publish-error.ts';

/**
 * Calls TikTok with the account's token; a refused token is renewed once.
 * @param deps.accessToken the token, where the caller has just read it
 * @throws PublishError `AUTH_REAUTHORIZATION_REQUIRED` when the renewed one is refused too, and what `call` throws
 */
export async function callWithToken<T>(
  account: string,
  { tokens, accessToken: known }: { readonly tokens: TokenSource; readonly accessToken?: string },
  call: (accessToken: string) => Promise<T>,
): Promise<T> {
  const accessToken = known ?? (await tokens.accessToken(account));
  try {
    return await call(accessToken);
  } catch (error) {
    if (!(error instanceof PublishError) || error.row.verdict !== 'refresh_token') throw error;
  }
  const renewedToken = await tokens.accessToken(account, { rejectedToken: accessToken });
  try {
    return await call(renewedToken);
  } catch (error) {
    if (!(error instanceof PublishError) || error.row.verdict !== 'refresh_token') throw error;
    throw new PublishError('AUTH_REAUTHORIZATION_REQUIRED', error.details, { cause: error });
  }
}
