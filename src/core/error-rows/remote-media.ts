import type { ErrorRow } from '../verdict.ts';
import { giveUp, retry } from './row.ts';

/** What goes wrong with videos that lie on a server of somebody's or in object storage. */
export const REMOTE_MEDIA_ROWS = {
  INPUT_MEDIA_ACCESS_REFUSED: giveUp(
    {
      message: 'access to the video was refused',
      advice:
        'Give the worker access: a presigned URL, user and password in the URL, or for S3 the right s3:GetObject. Then retry.',
    },
    { retryable: true },
  ),
  INPUT_MEDIA_URL_EXPIRED: giveUp({
    message: 'the presigned URL of the video has expired',
    advice: 'Enqueue it again with a new URL that lives longer than the job may wait, or use an s3 source.',
  }),
  INPUT_MEDIA_NO_RANGES: giveUp(
    {
      message: 'the server does not serve the video by ranges, as it is and with a mark of its version',
      advice:
        'Put the video on a server that answers Range with 206, gives an ETag or Last-Modified and does not compress, as object storage does. Then retry.',
    },
    { retryable: true },
  ),
  TRANSPORT_MEDIA_BAD_ANSWER: retry({
    message: 'the server of the video answered with something else than what was asked for',
    advice: 'It is tried again by itself. If it stays, look at the server, and at proxies and caches before it.',
  }),
  TRANSPORT_MEDIA_INTERRUPTED: retry({
    message: 'the video broke off or stood still on its way from its server',
    advice: 'It is fetched again by itself. If it stays, check the server of the video and the way to it.',
  }),
  TRANSPORT_MEDIA_BUSY: retry({
    message: 'the server cannot serve the video just now',
    advice: 'It is tried again by itself, not before the time that the server asks for.',
  }),
  TRANSPORT_MEDIA_DISK: retry({
    message: 'the disk or network share of the video does not answer',
    advice:
      'It is tried again by itself. If it stays, look at the disk, at the mount on the machine of the worker, and at its file server.',
  }),
  CONFIG_STORAGE_CREDENTIALS: retry(
    {
      message: 'the credentials for object storage are missing or not accepted',
      advice: 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or whatever else the AWS SDK takes, for the workers.',
    },
    { alert: 'page' },
  ),
  CONFIG_STORAGE_REGION: giveUp(
    {
      message: 'the bucket lies in another region, or at another endpoint',
      advice: 'Set S3_REGION, and S3_ENDPOINT for storage that is not of AWS, to where the bucket lies. Then retry.',
    },
    { retryable: true, alert: 'page' },
  ),
} as const satisfies Record<string, ErrorRow>;
