import type { Observer } from './observe-request.ts';
import type { BriefRetry } from './retry.ts';
import type { Transport } from './transport.ts';

/** What the groups of calls share. */
export interface CallDeps extends Observer {
  readonly transport: Transport;
  readonly apiBaseUrl: URL;
  /** Times of the brief retries of calls that may be repeated. */
  readonly briefRetry?: BriefRetry | undefined;
}
