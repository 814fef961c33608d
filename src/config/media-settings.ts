import { optional, withDefault } from './setting-description.ts';
import * as value from './setting-values.ts';

/** The part of the settings that says which media may be published, and where they are. */
export const MEDIA_SETTINGS = {
  MEDIA_ROOTS: optional(value.textList, {
    group: 'Media',
    unset: 'any readable path for CLI and library; REST refuses `file` sources',
    meaning: 'Comma list of folders that `file` sources may live under.',
  }),
  OUTBOUND_ALLOW_HOSTS: optional(value.allowedHostList, {
    group: 'Media',
    unset: 'public addresses only',
    meaning:
      'Comma list of `host`, `host:port` or CIDR that `url` sources and callbacks may reach although they are private or loopback.',
  }),
  S3_ENDPOINT: optional(value.serverUrl, {
    group: 'Media',
    unset: 'AWS',
    meaning:
      'Address of object storage that is not of AWS (MinIO, R2, Garage, Ceph and their kin), such as `https://s3.example.com`. `s3` sources are read there with the credentials that the AWS SDK finds: `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, a profile, or the role of the machine.',
  }),
  S3_REGION: optional(value.text, {
    group: 'Media',
    unset:
      '`AWS_REGION`; without that `us-east-1` where `S3_ENDPOINT` is set, else what the AWS SDK finds in its files',
    meaning: 'Region of the buckets that `s3` sources name.',
  }),
  AWS_REGION: optional(value.text, {
    group: 'Media',
    unset: 'see `S3_REGION`',
    meaning: "Region by AWS's own variable, which platforms of theirs set; `S3_REGION` goes before it.",
  }),
  S3_FORCE_PATH_STYLE: optional(value.trueOrFalse, {
    group: 'Media',
    unset: '`false`',
    meaning: 'Whether buckets are named in the path and not in the host; `true` for MinIO, Garage and most others.',
  }),
  PREFLIGHT: withDefault(value.oneOf(['refuse', 'warn', 'off']), 'refuse', {
    group: 'Media',
    meaning:
      'What happens to a post that TikTok would refuse for its video or by the settings of its creator: `refuse` it before anything is sent, `warn` in its timeline only, or `off` to not look.',
  }),
  ON_DUPLICATE: withDefault(value.oneOf(['allow', 'warn', 'refuse']), 'warn', {
    group: 'Media',
    meaning:
      'What happens to a job whose video was published on the same account not long ago, unless its request says otherwise: `allow` it without looking, `warn` in its timeline, or `refuse` it before anything is sent.',
  }),
  DUPLICATE_WINDOW_HOURS: withDefault(value.wholeNumber(1, 87_600), '24', {
    group: 'Media',
    meaning: 'How long a published video counts for `ON_DUPLICATE`; at most as long as jobs are kept.',
  }),
} as const;
