import { PublishError } from '../core/publish-error.ts';
import { codeOf } from '../core/system-error.ts';

/** Before any of these, nothing of the request was sent. */
const CONNECT_CODES: readonly string[] = [
  'ENOTFOUND',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'UND_ERR_CONNECT_TIMEOUT',
  'ETIMEDOUT',
];
/** Node's names for a certificate that does not prove its host. */
const CERTIFICATE_CODE = /CERT|SIGNATURE|ISSUER|^ERR_TLS_|^ERR_SSL_/;

/**
 * What broke a request to a host of somebody else's: our own refusals as they are, and the network's trouble under a
 * stable code, with the name of the cause and without the URL.
 *
 * @param host as it may be shown: host and port, no path
 */
export function toOutboundError(error: unknown, host: string): PublishError {
  if (error instanceof PublishError) return error;
  const cause = causeOf(error);
  const isUnsent = CONNECT_CODES.includes(cause) || CERTIFICATE_CODE.test(cause);
  return new PublishError(isUnsent ? 'OUTBOUND_UNREACHABLE' : 'OUTBOUND_NO_ANSWER', {
    reason: isUnsent ? `${host} could not be reached (${cause})` : `${host} did not respond (${cause})`,
  });
}

function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  // Node bundles the failures of several addresses.
  if (error instanceof AggregateError && error.errors.length > 0) return causeOf(error.errors[0]);
  return codeOf(error) ?? error.name;
}
