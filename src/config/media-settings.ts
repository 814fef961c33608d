import { settingsOf } from './setting-description.ts';
import * as value from './setting-values.ts';

const media = settingsOf('Media');

/** The part of the settings that says which media may be published, and where they are. */
export const MEDIA_SETTINGS = {
  MEDIA_ROOTS: media.optional(value.textList, {
    unset: 'any readable path for CLI and library; REST rejects `file` sources',
    meaning: 'Comma-separated list of folders in which `file` sources must be.',
  }),
  OUTBOUND_ALLOW_HOSTS: media.optional(value.allowedHostList, {
    unset: 'public addresses only',
    meaning:
      'Comma-separated list of `host`, `host:port` or CIDR that `url` sources and callbacks can reach even if the address is private or loopback.',
  }),
  S3_ENDPOINT: media.optional(value.serverUrl, {
    unset: 'AWS',
    meaning:
      'URL of object storage outside AWS (MinIO, R2, Garage, Ceph and others), such as `https://s3.example.com`. `s3` sources are read from it with the credentials that the AWS SDK finds: `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, a profile, or the machine role.',
  }),
  S3_REGION: media.optional(value.text, {
    unset:
      "`AWS_REGION`; if that is not set, `us-east-1` with `S3_ENDPOINT`, otherwise the region from the AWS SDK's files",
    meaning: 'Region of the buckets of `s3` sources.',
  }),
  AWS_REGION: media.optional(value.text, {
    unset: 'see `S3_REGION`',
    meaning: "Region from AWS's own variable, which AWS platforms set. `S3_REGION` has precedence.",
  }),
  S3_FORCE_PATH_STYLE: media.optional(value.trueOrFalse, {
    unset: '`false`',
    meaning: 'Whether the bucket name is in the path and not in the host. `true` for MinIO, Garage and most others.',
  }),
  PREFLIGHT: media.withDefault(value.oneOf(['refuse', 'warn', 'off']), 'refuse', {
    meaning:
      "What to do with a post that TikTok would refuse because of its video or its creator's settings: `refuse` it before anything is sent, only `warn` in its timeline, or `off` to skip the check.",
  }),
  ON_DUPLICATE: media.withDefault(value.oneOf(['allow', 'warn', 'refuse']), 'warn', {
    meaning:
      'What to do with a job whose video was recently published on the same account: `allow` it without a check, `warn` in its timeline, or `refuse` it before anything is sent. A request can override this.',
  }),
  DUPLICATE_WINDOW_HOURS: media.withDefault(value.wholeNumber(1, 87_600), '24', {
    meaning: 'How long a published video counts for `ON_DUPLICATE`. Not longer than `RETENTION_DAYS`.',
  }),
} as const;
