import { z } from 'zod';
import type { ErrorCode } from '../core/error-table.ts';
import { PublishError } from '../core/publish-error.ts';
import { codeOf } from '../core/system-error.ts';

/**
 * Our codes by what S3 and its kin name their refusals (docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html), by
 * what the SDK names its own, and by HTTP statuses.
 */
const CODES: readonly (readonly [ErrorCode, ...(string | number)[]])[] = [
  ['INPUT_MEDIA_NOT_FOUND', 'NoSuchKey', 'NoSuchBucket', 'NoSuchVersion', 'NotFound', 'InvalidBucketName', 404],
  ['INPUT_MEDIA_ACCESS_REFUSED', 'AccessDenied', 'AllAccessDisabled', 'InvalidObjectState', 401, 403],
  ['INPUT_MEDIA_CHANGED', 'PreconditionFailed', 'InvalidRange', 412, 416],
  ['CONFIG_STORAGE_CREDENTIALS', 'CredentialsProviderError', 'InvalidAccessKeyId', 'SignatureDoesNotMatch'],
  ['CONFIG_STORAGE_CREDENTIALS', 'ExpiredToken', 'TokenRefreshRequired', 'InvalidToken', 'RequestTimeTooSkewed'],
  ['CONFIG_STORAGE_REGION', 'PermanentRedirect', 'TemporaryRedirect', 'AuthorizationHeaderMalformed', 301, 307],
  ['CONFIG_STORAGE_REGION', 'IllegalLocationConstraintException'],
  ['TRANSPORT_MEDIA_BUSY', 'SlowDown', 'ServiceUnavailable', 'InternalError', 'RequestTimeout', 429],
  ['TRANSPORT_MEDIA_BUSY', 'ThrottlingException'],
];
/** Node's and undici's names for what happens before a request is sent. */
const UNSENT_CODES = [
  ...['ENOTFOUND', 'EAI_AGAIN', 'ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT'],
  'UND_ERR_CONNECT_TIMEOUT',
];

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

function errorCodeOf({ name, systemCode, httpStatus = 0 }: SdkFacts): ErrorCode {
  const known = codeNamed(name) ?? codeNamed(httpStatus);
  if (known !== undefined) return known;
  if (httpStatus >= 500) return 'TRANSPORT_MEDIA_BUSY';
  if (httpStatus >= 400) return 'INPUT_MEDIA_ACCESS_REFUSED';
  if (systemCode !== undefined && UNSENT_CODES.includes(systemCode)) return 'OUTBOUND_UNREACHABLE';
  return 'TRANSPORT_MEDIA_INTERRUPTED';
}

function codeNamed(mark: string | number): ErrorCode | undefined {
  return CODES.find(([, ...marks]) => marks.includes(mark))?.[0];
}

const sdkError = z.object({ $metadata: z.object({ httpStatusCode: z.number() }) });

function factsOf(error: unknown): SdkFacts {
  if (!(error instanceof Error)) return { name: typeof error, systemCode: undefined, httpStatus: undefined };
  const systemCode = codeOf(error);
  // Servers choose this name: it is shown, so it has to look like one.
  const name = /^[\w.-]{1,60}$/.test(error.name) ? error.name : 'unknown error';
  return {
    name: name === 'Error' ? (systemCode ?? name) : name,
    systemCode,
    httpStatus: sdkError.safeParse(error).data?.$metadata.httpStatusCode,
  };
}
