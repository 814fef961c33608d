import { type InputProblem, PublishError } from '../core/publish-error.ts';
import type { PublishRequest } from '../core/publish-request.ts';
import { parseAllowList } from '../outbound/allow-list.ts';
import { checkOutboundUrl } from '../outbound/check-url.ts';

/**
 * Refuses callbacks that would never be delivered, as far as their URLs show it; workers look again, since a name may
 * change where it leads.
 *
 * @param allowHosts `OUTBOUND_ALLOW_HOSTS`, hosts that may be reached although they are not public
 * @throws PublishError `INPUT_INVALID` with every problem
 */
export function refuseCallbacks(
  entries: readonly { readonly request: PublishRequest }[],
  allowHosts: readonly string[],
): void {
  const allowed = parseAllowList(allowHosts);
  const problems: InputProblem[] = [];
  for (const [index, { request }] of entries.entries()) {
    try {
      if (request.callbackUrl !== undefined) checkOutboundUrl(new URL(request.callbackUrl), allowed);
    } catch (error) {
      if (!(error instanceof PublishError)) throw error;
      const path = entries.length === 1 ? 'callbackUrl' : `[${index}].callbackUrl`;
      problems.push({ path, message: error.message });
    }
  }
  if (problems.length > 0) throw new PublishError('INPUT_INVALID', { problems });
}
