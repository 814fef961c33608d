import { z } from 'zod';
import { MEDIA_SETTINGS } from './media-settings.ts';
import { REDIS_SETTINGS } from './redis-settings.ts';
import { descriptionOf, optional, type SettingDescription, withDefault } from './setting-description.ts';
import * as value from './setting-values.ts';

/**
 * Every environment variable that this program reads: the type of the settings, their defaults, `.env.example` and
 * docs/configuration.md all come from here.
 */
export const SettingsTable = z.object({
  ...REDIS_SETTINGS,
  DATA_DIR: withDefault(value.text, '.tiktok-publisher', {
    group: 'Process',
    meaning:
      'Folder for the embedded Redis, the generated development key, and the ledger version last seen by workers. Must be kept across restarts, on a local disk, and used by one machine only. Commands with the same folder share one Redis.',
  }),
  QUEUE_PREFIX: withDefault(value.queuePrefix, '{tiktok-publisher}', {
    group: 'Queue',
    meaning:
      'Prefix of every Redis key. Programs that share jobs need the same prefix. The hash tag in braces keeps all keys in one hash slot, which Redis Cluster requires.',
  }),
  TIKTOK_API_BASE_URL: withDefault(value.apiBaseUrl, 'https://open.tiktokapis.com', {
    group: 'TikTok',
    meaning: 'Base URL of the TikTok API. Change it to use the simulator. `http://` is accepted only for this machine.',
  }),
  TIKTOK_CLIENT_KEY: optional(value.text, {
    group: 'TikTok',
    unset: 'no token is refreshed and no account can be connected over OAuth',
    meaning: 'Client key of your TikTok app. Requires `TIKTOK_CLIENT_SECRET`.',
  }),
  TIKTOK_CLIENT_SECRET: optional(value.text, {
    group: 'TikTok',
    secret: true,
    unset: 'no token is refreshed, and TikTok webhooks are rejected because their signature cannot be checked',
    meaning: 'Client secret of your TikTok app.',
  }),
  ENCRYPTION_KEYS: optional(value.encryptionKeys, {
    group: 'Secrets',
    secret: true,
    unset: 'generated in `DATA_DIR` with the embedded Redis; otherwise required',
    meaning:
      'Comma-separated list of base64 keys of 32 bytes each, created with `openssl rand -base64 32`. Encrypts stored tokens: the first key encrypts, all keys decrypt. To change the key, add the new key at the front.',
  }),
  CALLBACK_SECRETS: optional(value.webhookSecretList, {
    group: 'Secrets',
    secret: true,
    unset: 'derived from `ENCRYPTION_KEYS`; `tiktok-publisher callbacks secret` prints it',
    meaning:
      'Comma-separated list of secrets that sign callbacks, each `whsec_` and base64 of 24 to 64 bytes. All secrets sign. To change the secret, add the new one at the front, and remove the old one after every receiver has the new one.',
  }),
  HOST: withDefault(value.text, '127.0.0.1', {
    group: 'Web server',
    meaning: 'Address to listen on. Any address other than loopback requires `API_KEYS`.',
  }),
  PORT: withDefault(value.wholeNumber(0, 65_535), '3000', {
    group: 'Web server',
    meaning: 'Port to listen on; 0 picks a free port.',
  }),
  PUBLIC_BASE_URL: optional(value.apiBaseUrl, {
    group: 'Web server',
    unset: '`http://HOST:PORT` if `HOST` is loopback; otherwise no account can be connected over OAuth',
    meaning:
      'Address at which browsers reach this server, such as `https://publisher.example.com`. Connect links start with it. Register this address plus `/connect/tiktok/callback` as a redirect URI of your TikTok app.',
  }),
  API_KEYS: optional(value.textList, {
    group: 'Web server',
    secret: true,
    unset: '`/v1` needs no key, and the server listens on loopback only',
    meaning:
      'Comma-separated list of bearer keys for `/v1`. To change a key, list both keys until every client has the new one.',
  }),
  API_RATE_LIMIT_PER_MINUTE: withDefault(value.wholeNumber(1, 1_000_000), '600', {
    group: 'Web server',
    meaning:
      'Requests per minute to `/v1` for one key (without keys: for one IP address). Further requests get a 429 response. Each process counts separately.',
  }),
  BOARD_USER: optional(value.text, {
    group: 'Web server',
    unset: 'the board is available on loopback only',
    meaning: 'User name for the board at `/board`. Requires `BOARD_PASSWORD`.',
  }),
  BOARD_PASSWORD: optional(value.text, {
    group: 'Web server',
    secret: true,
    unset: 'the board is available on loopback only',
    meaning: 'Password for the board.',
  }),
  BOARD_READONLY_USER: optional(value.text, {
    group: 'Web server',
    unset: 'there is no second login',
    meaning: 'User name for read-only access to the board. Requires `BOARD_USER`.',
  }),
  BOARD_READONLY_PASSWORD: optional(value.text, {
    group: 'Web server',
    secret: true,
    unset: 'there is no second login',
    meaning: 'Password for `BOARD_READONLY_USER`.',
  }),
  UPLOADS_PER_ACCOUNT: withDefault(value.wholeNumber(1, 100), '1', {
    group: 'Work',
    meaning:
      'Concurrent uploads per account. The other jobs of the account wait for their turn. Workers publish this limit in Redis when they start, so producers do not need it.',
  }),
  MAX_WAIT_HOURS: withDefault(value.wholeNumber(1, 8_760), '72', {
    group: 'Work',
    meaning: 'How long a job may wait for rate limits, daily limits or its account. Then it fails with that reason.',
  }),
  PULL_STALL_MINUTES: withDefault(value.wholeNumber(1, 60), '20', {
    group: 'Work',
    meaning:
      "How long TikTok's download of a pull may stall. Then it is cancelled, and the job fails or falls back to an upload. TikTok itself gives up after one hour.",
  }),
  UPLOAD_CONCURRENCY: withDefault(value.wholeNumber(1, 1_000), '4', {
    group: 'Work',
    meaning: 'Concurrent uploads per process. Each upload uses a few megabytes of memory.',
  }),
  STATUS_CONCURRENCY: withDefault(value.wholeNumber(1, 10_000), '50', {
    group: 'Work',
    meaning: 'Concurrent status polls per process.',
  }),
  CHUNK_SIZE_BYTES: withDefault(value.wholeNumber(1, Number.MAX_SAFE_INTEGER), '10000000', {
    group: 'Work',
    meaning:
      'Bytes per uploaded chunk, limited to the range that TikTok accepts (5,000,000 to 64,000,000). Larger chunks need fewer requests. A lost connection repeats at most one chunk.',
  }),
  ...MEDIA_SETTINGS,
  RETENTION_DAYS: withDefault(value.wholeNumber(1, 3_650), '14', {
    group: 'Queue',
    meaning: 'Days for which finished jobs, their timelines and their idempotency keys are stored.',
  }),
  SHUTDOWN_TIMEOUT_MS: withDefault(value.wholeNumber(0, 3_600_000), '25000', {
    group: 'Process',
    meaning:
      'How long running jobs have, after a stop signal, to reach a safe point before they are returned to the queue. Set it below the stop timeout of the process manager (by default 10 s in Docker, 30 s in Kubernetes).',
  }),
  LOG_LEVEL: withDefault(value.oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']), 'info', {
    group: 'Process',
    meaning: 'Lowest log level to write: `fatal`, `error`, `warn`, `info`, `debug`, `trace`, or `silent`.',
  }),
  METRICS_PORT: optional(value.wholeNumber(0, 65_535), {
    group: 'Process',
    unset: '`worker` serves no metrics; `start` and `server` serve them on `PORT`',
    meaning: 'Port on which `worker` serves `/metrics`, `/healthz` and `/readyz`; 0 picks a free port.',
  }),
  METRICS_HOST: withDefault(value.text, '127.0.0.1', {
    group: 'Process',
    meaning: 'Address for `METRICS_PORT`. These pages contain no secrets and need no login.',
  }),
  OTEL_EXPORTER_OTLP_ENDPOINT: optional(value.webAddress, {
    group: 'Traces',
    unset: 'nothing is traced',
    meaning: 'URL of an OpenTelemetry collector (OTLP over HTTP), such as `http://127.0.0.1:4318`.',
  }),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: optional(value.webAddress, {
    group: 'Traces',
    unset: '`OTEL_EXPORTER_OTLP_ENDPOINT` plus `/v1/traces`',
    meaning: 'Full URL for traces, if it is different.',
  }),
  OTEL_EXPORTER_OTLP_HEADERS: optional(value.headerList, {
    group: 'Traces',
    secret: true,
    unset: 'none',
    meaning: 'Comma-separated list of headers for the collector, `name=value`, often with an API key.',
  }),
  OTEL_SERVICE_NAME: withDefault(value.text, 'tiktok-publisher', {
    group: 'Traces',
    meaning: 'Name of this service in traces.',
  }),
  OTEL_SDK_DISABLED: optional(value.looseTrue, {
    group: 'Traces',
    unset: 'traces are sent if an endpoint is set',
    meaning: '`true` disables tracing even if an endpoint is set.',
  }),
  XDG_CACHE_HOME: optional(value.text, {
    group: 'Process',
    unset: '`~/.cache`',
    meaning: 'Folder for files that can be downloaded again, such as a Redis program on Debian and Ubuntu without one.',
  }),
});

/** The settings as read, each under the name of its variable. */
export type Settings = z.output<typeof SettingsTable>;

/** The name of an environment variable of ours. */
export type SettingName = keyof Settings;

/** What people are told about each setting, in the order of the table. */
export const SETTING_DESCRIPTIONS: readonly (SettingDescription & { readonly variable: string })[] = Object.entries(
  SettingsTable.shape,
).map(([variable, type]) => {
  const description = descriptionOf(type);
  if (!description) throw new Error(`expected a description of ${variable}`);
  return { variable, ...description };
});
