import type { ErrorCode } from '../core/error-table.ts';
import { PublishError } from '../core/publish-error.ts';
import { codeOf } from '../core/system-error.ts';

/** What S3 and its kin name their refusals (docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html), and the SDK its own. */
const CODES: Readonly<Record<string, ErrorCode>> = {
  NoSuchKey: 'INPUT_MEDIA_NOT_FOUND',
  NoSuchBucket: 'INPUT_MEDIA_NOT_FOUND',
  NoSuchVersion: 'INPUT_MEDIA_NOT_FOUND',
  NotFound: 'INPUT_MEDIA_NOT_FOUND',
  InvalidBucketName: 'INPUT_MEDIA_NOT_FOUND',
  AccessDenied: 'INPUT_MEDIA_ACCESS_REFUSED',
  AllAccessDisabled: 'INPUT_MEDIA_ACCESS_REFUSED',
  InvalidObjectState: 'INPUT_MEDIA_ACCESS_REFUSED',
  PreconditionFailed: 'INPUT_MEDIA_CHANGED',
  InvalidRange: 'INPUT_MEDIA_CHANGED',
  CredentialsProviderError: 'CONFIG_STORAGE_CREDENTIALS',
  InvalidAccessKeyId: 'CONFIG_STORAGE_CREDENTIALS',
  SignatureDoesNotMatch: 'CONFIG_STORAGE_CREDENTIALS',
  ExpiredToken: 'CONFIG_STORAGE_CREDENTIALS',
  TokenRefreshRequired: 'CONFIG_STORAGE_CREDENTIALS',
  InvalidToken: 'CONFIG_STORAGE_CREDENTIALS',
  RequestTimeTooSkewed: 'CONFIG_STORAGE_CREDENTIALS',
  PermanentRedirect: 'CONFIG_STORAGE_REGION',
  TemporaryRedirect: 'CONFIG_STORAGE_REGION',
  AuthorizationHeaderMalformed: 'CONFIG_STORAGE_REGION',
  IllegalLocationConstraintException: 'CONFIG_STORAGE_REGION',
  SlowDown: 'TRANSPORT_MEDIA_BUSY',
  ServiceUnavailable: 'TRANSPORT_MEDIA_BUSY',
  InternalError: 'TRANSPORT_MEDIA_BUSY',
  RequestTimeout: 'TRANSPORT_MEDIA_BUSY',
  ThrottlingException: 'TRANSPORT_MEDIA_BUSY',
};
const CODES_OF_STATUS: Readonly<Record<number, ErrorCode>> = {
  301: 'CONFIG_STORAGE_REGION',
  307: 'CONFIG_STORAGE_REGION',
  401: 'INPUT_MEDIA_ACCESS_REFUSED',
  403: 'INPUT_MEDIA_ACCESS_REFUSED',
  404: 'INPUT_MEDIA_NOT_FOUND',
  412: 'INPUT_MEDIA_CHANGED',
  416: 'INPUT_MEDIA_CHANGED',
  429: 'TRANSPORT_MEDIA_BUSY',
};
/** Node's names for what happens before a request is sent. */
const UNSENT_CODES = ['ENOTFOUND', 'EAI_AGAIN', 'ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT'];

/** What the SDK's errors say of themselves, read without trusting their shape. */
interface SdkFacts {
  readonly name: string;
  readonly systemCode: string | undefined;
  readonly httpStatus: number | undefined;
}

/** A failed request to object storage as one of ours. The SDK's own words are left out: they repeat keys and hosts. */
export function toS3Error(name: string, error: unknown): PublishError {
  if (error instanceof PublishError) return error;
  if (error instanceof Error && error.message === 'Region is missing') {
    return new PublishError('CONFIG_STORAGE_REGION', { reason: 'neither S3_REGION nor AWS_REGION is set' });
  }
  const facts = factsOf(error);
  const { httpStatus } = facts;
  const answer = httpStatus === undefined ? '' : `, HTTP ${httpStatus}`;
  return new PublishError(errorCodeOf(facts), { reason: `${name} could not be read (${facts.name}${answer})` });
}

function errorCodeOf({ name, systemCode, httpStatus }: SdkFacts): ErrorCode {
  const named = Object.hasOwn(CODES, name) ? CODES[name] : undefined;
  const byStatus = httpStatus === undefined ? undefined : CODES_OF_STATUS[httpStatus];
  if (named !== undefined) return named;
  if (byStatus !== undefined) return byStatus;
  if (httpStatus !== undefined && httpStatus >= 500) return 'TRANSPORT_MEDIA_BUSY';
  if (httpStatus !== undefined && httpStatus >= 400) return 'INPUT_MEDIA_ACCESS_REFUSED';
  if (systemCode !== undefined && UNSENT_CODES.includes(systemCode)) return 'OUTBOUND_UNREACHABLE';
  return 'TRANSPORT_MEDIA_INTERRUPTED';
}

function factsOf(error: unknown): SdkFacts {
  if (!(error instanceof Error)) return { name: typeof error, systemCode: undefined, httpStatus: undefined };
  const systemCode = codeOf(error);
  const metadata: unknown = '$metadata' in error ? error.$metadata : undefined;
  const isObject = typeof metadata === 'object' && metadata !== null && 'httpStatusCode' in metadata;
  const status = isObject ? metadata.httpStatusCode : undefined;
  // Servers choose this name: it is shown, so it has to look like one.
  const name = /^[\w.-]{1,60}$/.test(error.name) ? error.name : 'unknown error';
  return {
    name: name === 'Error' ? (systemCode ?? name) : name,
    systemCode,
    httpStatus: typeof status === 'number' ? status : undefined,
  };
}
