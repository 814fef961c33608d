import type { OnRequest } from './observe-request.ts';
import type { BriefRetry } from './retry.ts';
import type { Transport } from './transport.ts';

/** What the groups of calls share. */
export interface CallDeps {
  readonly transport: Transport;
  readonly apiBaseUrl: URL;
  readonly onRequest: OnRequest;
  /** Times of the brief retries of calls that may be repeated. */
  readonly briefRetry?: BriefRetry | undefined;
}
