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
      'Folder of our own Redis, of the generated development key, and of what workers last saw of the ledger; keep it over restarts. Must be on a local disk and used by one machine only. Commands that name the same folder share one Redis.',
  }),
  QUEUE_PREFIX: withDefault(value.queuePrefix, '{tiktok-publisher}', {
    group: 'Queue',
    meaning:
      'First part of every Redis key. Programs that should see the same jobs need the same one. The hash tag in braces keeps all keys in one slot, so that it runs on a cluster.',
  }),
  TIKTOK_API_BASE_URL: withDefault(value.apiBaseUrl, 'https://open.tiktokapis.com', {
    group: 'TikTok',
    meaning: 'Where the TikTok API is. Change it to use the simulator; `http://` is accepted for this machine only.',
  }),
  TIKTOK_CLIENT_KEY: optional(value.text, {
    group: 'TikTok',
    unset: 'no token is refreshed and no account can be connected over OAuth',
    meaning: 'Client key of your TikTok app. Together with `TIKTOK_CLIENT_SECRET`.',
  }),
  TIKTOK_CLIENT_SECRET: optional(value.text, {
    group: 'TikTok',
    secret: true,
    unset: 'no token is refreshed, and webhooks are refused because their signature cannot be checked',
    meaning: 'Client secret of your TikTok app.',
  }),
  ENCRYPTION_KEYS: optional(value.encryptionKeys, {
    group: 'Secrets',
    secret: true,
    unset: 'generated in `DATA_DIR` when we run our own Redis; otherwise required',
    meaning:
      'Comma list of base64 keys of 32 bytes each, made by `openssl rand -base64 32`. Seals tokens at rest: the first encrypts, all decrypt. To change the key, put the new one in front.',
  }),
  CALLBACK_SECRETS: optional(value.webhookSecretList, {
    group: 'Secrets',
    secret: true,
    unset: 'derived from `ENCRYPTION_KEYS`; `tiktok-publisher callbacks secret` prints it',
    meaning:
      'Comma list of secrets, `whsec_` and base64 of 24 to 64 bytes, that sign what is sent to callback URLs. All sign. To change the secret, put the new one in front, and take the old one away once every receiver has the new one.',
  }),
  HOST: withDefault(value.text, '127.0.0.1', {
    group: 'Web server',
    meaning: 'Address to listen on. Anything but loopback needs `API_KEYS`.',
  }),
  PORT: withDefault(value.wholeNumber(0, 65_535), '3000', {
    group: 'Web server',
    meaning: 'Port to listen on; 0 takes any free one.',
  }),
  PUBLIC_BASE_URL: optional(value.apiBaseUrl, {
    group: 'Web server',
    unset: '`http://HOST:PORT` where `HOST` is loopback; otherwise no account can be connected over OAuth',
    meaning:
      'Address under which browsers reach this server, such as `https://publisher.example.com`; links that connect an account begin with it. Register it with `/connect/tiktok/callback` behind it as a redirect URI of your TikTok app.',
  }),
  API_KEYS: optional(value.textList, {
    group: 'Web server',
    secret: true,
    unset: '`/v1` needs no key, and the server listens on loopback only',
    meaning: 'Comma list of bearer keys for `/v1`. To change a key, list both until every client has the new one.',
  }),
  API_RATE_LIMIT_PER_MINUTE: withDefault(value.wholeNumber(1, 1_000_000), '600', {
    group: 'Web server',
    meaning:
      'Requests to `/v1` that one key (without keys: one address) may make in a minute; more are answered with 429. Each process counts for itself.',
  }),
  BOARD_USER: optional(value.text, {
    group: 'Web server',
    unset: 'the board is served on loopback only',
    meaning: 'User name for the board at `/board`. Together with `BOARD_PASSWORD`.',
  }),
  BOARD_PASSWORD: optional(value.text, {
    group: 'Web server',
    secret: true,
    unset: 'the board is served on loopback only',
    meaning: 'Password for the board.',
  }),
  BOARD_READONLY_USER: optional(value.text, {
    group: 'Web server',
    unset: 'there is no second login',
    meaning: 'User name for people who may look at the whole board and change nothing. Needs `BOARD_USER`.',
  }),
  BOARD_READONLY_PASSWORD: optional(value.text, {
    group: 'Web server',
    secret: true,
    unset: 'there is no second login',
    meaning: 'Password that goes with `BOARD_READONLY_USER`.',
  }),
  UPLOADS_PER_ACCOUNT: withDefault(value.wholeNumber(1, 100), '1', {
    group: 'Work',
    meaning:
      'Uploads of one account at the same time; its other jobs wait for their turn. Workers publish it in Redis when they start; who only enqueues need not set it.',
  }),
  MAX_WAIT_HOURS: withDefault(value.wholeNumber(1, 8_760), '72', {
    group: 'Work',
    meaning: 'How long a job may wait for quotas, caps or its account; then it fails with that reason.',
  }),
  PULL_STALL_MINUTES: withDefault(value.wholeNumber(1, 60), '20', {
    group: 'Work',
    meaning:
      "How long TikTok's own download of a pull may stand still; then it is stopped, and the job fails or falls back to an upload. TikTok itself gives up after an hour.",
  }),
  UPLOAD_CONCURRENCY: withDefault(value.wholeNumber(1, 1_000), '4', {
    group: 'Work',
    meaning: 'Uploads at the same time, per process. Each one holds a few megabytes.',
  }),
  STATUS_CONCURRENCY: withDefault(value.wholeNumber(1, 10_000), '50', {
    group: 'Work',
    meaning: 'Status polls at the same time, per process.',
  }),
  CHUNK_SIZE_BYTES: withDefault(value.wholeNumber(1, Number.MAX_SAFE_INTEGER), '10000000', {
    group: 'Work',
    meaning:
      'Bytes per uploaded chunk, clamped to what TikTok accepts (5,000,000 to 64,000,000). Larger chunks cost fewer requests; a broken connection repeats at most one chunk.',
  }),
  ...MEDIA_SETTINGS,
  RETENTION_DAYS: withDefault(value.wholeNumber(1, 3_650), '14', {
    group: 'Queue',
    meaning: 'Days that finished jobs, their timeline and their idempotency keys are kept.',
  }),
  SHUTDOWN_TIMEOUT_MS: withDefault(value.wholeNumber(0, 3_600_000), '25000', {
    group: 'Process',
    meaning:
      'How long a stop signal lets running work reach a safe point before it is handed back. Keep it below the grace period of whatever stops the process (Docker 10 s unless told, Kubernetes 30 s).',
  }),
  LOG_LEVEL: withDefault(value.oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']), 'info', {
    group: 'Process',
    meaning: 'Least important log messages to write: `fatal`, `error`, `warn`, `info`, `debug`, `trace`, or `silent`.',
  }),
  METRICS_PORT: optional(value.wholeNumber(0, 65_535), {
    group: 'Process',
    unset: '`worker` serves none; `start` and `server` serve them on `PORT`',
    meaning: 'Port on which `worker` serves `/metrics`, `/healthz` and `/readyz`; 0 takes any free one.',
  }),
  METRICS_HOST: withDefault(value.text, '127.0.0.1', {
    group: 'Process',
    meaning: 'Address for `METRICS_PORT`. What is served there holds no secret and asks for no login.',
  }),
  OTEL_EXPORTER_OTLP_ENDPOINT: optional(value.webAddress, {
    group: 'Traces',
    unset: 'nothing is traced',
    meaning: 'Where an OpenTelemetry collector takes OTLP over HTTP, such as `http://127.0.0.1:4318`.',
  }),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: optional(value.webAddress, {
    group: 'Traces',
    unset: '`OTEL_EXPORTER_OTLP_ENDPOINT` with `/v1/traces` behind it',
    meaning: 'The whole address for traces, where it is another one.',
  }),
  OTEL_EXPORTER_OTLP_HEADERS: optional(value.headerList, {
    group: 'Traces',
    secret: true,
    unset: 'none',
    meaning: "Comma list of headers for the collector, `name=value`, often with its service's key.",
  }),
  OTEL_SERVICE_NAME: withDefault(value.text, 'tiktok-publisher', {
    group: 'Traces',
    meaning: 'Name of this service in traces.',
  }),
  OTEL_SDK_DISABLED: optional(value.looseTrue, {
    group: 'Traces',
    unset: 'traces are sent if an endpoint is set',
    meaning: '`true` traces nothing although an endpoint is set.',
  }),
  XDG_CACHE_HOME: optional(value.text, {
    group: 'Process',
    unset: '`~/.cache`',
    meaning: 'Folder for what can be fetched again; a Redis program is kept there on Debian and Ubuntu that have none.',
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
