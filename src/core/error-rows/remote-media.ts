import type { ErrorRow } from '../verdict.ts';
import { giveUp, retry } from './row.ts';

/** What goes wrong with videos and photos that lie on a server of somebody's or in object storage. */
export const REMOTE_MEDIA_ROWS = {
  INPUT_MEDIA_ACCESS_REFUSED: giveUp({
    message: 'access to the file was refused',
    advice:
      'Give the worker access: a presigned URL, a user name and password in the URL, or for S3 the permission s3:GetObject. Then retry.',
    retryable: true,
  }),
  INPUT_MEDIA_URL_EXPIRED: giveUp({
    message: 'the presigned URL of the file has expired',
    advice: 'Enqueue it again with a URL that stays valid for longer than the job may wait, or use an s3 source.',
  }),
  INPUT_MEDIA_NO_RANGES: giveUp({
    message:
      'the server of the file does not support uncompressed range requests with a version (ETag or Last-Modified)',
    advice:
      'Put the file on a server that responds to Range with 206, sends an ETag or Last-Modified, and does not compress, such as object storage. Then retry.',
    retryable: true,
  }),
  INPUT_MEDIA_WEB_PAGE: giveUp({
    message: 'this is a web page, not a video or photo',
    advice:
      'Use the direct download URL of the file. Share links of Google Drive, Dropbox, Slack and others show a page, and so do servers that require a login. If it is a file, such a page was saved under its name: download the file again.',
    retryable: true,
  }),
  INPUT_MEDIA_REDIRECTS: giveUp({
    message: 'the URL of the file redirects too often',
    advice:
      'Use the URL at which the redirects end. If they never end, the server probably requires a login or cookies.',
    retryable: true,
  }),
  INPUT_PHOTO_REDIRECTS: giveUp({
    message: 'the URL of the photo redirects, and TikTok follows no redirect',
    advice: 'Use the URL at which the redirects end, on a domain or URL prefix verified for your TikTok app.',
    retryable: true,
  }),
  TRANSPORT_MEDIA_BAD_ANSWER: retry({
    message: 'the server of the file sent an unexpected response',
    advice:
      'The request is retried automatically. If the error persists, check the server and the proxies and caches in front of it.',
  }),
  TRANSPORT_MEDIA_INTERRUPTED: retry({
    message: 'the download of the file was interrupted or stalled',
    advice:
      'The download is retried automatically. If the error persists, check the server of the file and the network.',
  }),
  TRANSPORT_MEDIA_BUSY: retry({
    message: 'the server of the file is temporarily unavailable',
    advice: "The request is retried automatically, no earlier than the server's Retry-After allows.",
  }),
  TRANSPORT_MEDIA_DISK: retry({
    message: 'the disk or network share of the file does not respond',
    advice:
      "The read is retried automatically. If the error persists, check the disk, the mount on the worker's machine, and the file server.",
  }),
  CONFIG_STORAGE_CREDENTIALS: retry({
    message: 'the credentials for object storage are missing or were rejected',
    advice:
      'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY for the workers, or use another credential source of the AWS SDK.',
    alert: 'page',
  }),
  CONFIG_STORAGE_REGION: giveUp({
    message: 'the bucket is in another region or at another endpoint',
    advice:
      "Set S3_REGION to the bucket's region and, for storage outside AWS, S3_ENDPOINT to its endpoint. Then retry.",
    retryable: true,
    alert: 'page',
  }),
} as const satisfies Record<string, ErrorRow>;
