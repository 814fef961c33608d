import { z } from 'zod';
import { MEDIA_SETTINGS } from './media-settings.ts';
import { REDIS_SETTINGS } from './redis-settings.ts';
import { descriptionOf, type SettingDescription, settingsOf } from './setting-description.ts';
import * as value from './setting-values.ts';
import { TIKTOK_API_BASE_URL } from './tiktok-address.ts';
import { WEB_SERVER_SETTINGS } from './web-server-settings.ts';

const queue = settingsOf('Queue');
const tiktok = settingsOf('TikTok');
const secrets = settingsOf('Secrets');
const work = settingsOf('Work');
const ownProcess = settingsOf('Process');
const traces = settingsOf('Traces');

/**
 * Every environment variable that this program reads: the type of the settings, their defaults, `.env.example` and
 * docs/configuration.md all come from here.
 */
export const SettingsTable = z.object({
  ...REDIS_SETTINGS,
  DATA_DIR: ownProcess.withDefault(value.text, '.tiktok-publisher', {
    meaning:
      'Folder for the embedded Redis, the generated development key, and the ledger version last seen by workers. Must be kept across restarts, on a local disk, and used by one machine only. Commands with the same folder share one Redis.',
  }),
  QUEUE_PREFIX: queue.withDefault(value.queuePrefix, '{tiktok-publisher}', {
    meaning:
      'Prefix of every Redis key. Programs that share jobs need the same prefix. The hash tag in braces keeps all keys in one hash slot, which Redis Cluster requires.',
  }),
  TIKTOK_API_BASE_URL: tiktok.withDefault(value.apiBaseUrl, TIKTOK_API_BASE_URL, {
    meaning: 'Base URL of the TikTok API. Change it to use the simulator. `http://` is accepted only for this machine.',
  }),
  TIKTOK_CLIENT_KEY: tiktok.optional(value.text, {
    unset: 'no token is refreshed and no account can be connected over OAuth',
    meaning: 'Client key of your TikTok app. Requires `TIKTOK_CLIENT_SECRET`.',
  }),
  TIKTOK_CLIENT_SECRET: tiktok.optional(value.text, {
    secret: true,
    unset: 'no token is refreshed, and TikTok webhooks are rejected because their signature cannot be checked',
    meaning: 'Client secret of your TikTok app.',
  }),
  ENCRYPTION_KEYS: secrets.optional(value.encryptionKeys, {
    secret: true,
    unset: 'generated in `DATA_DIR` with the embedded Redis; otherwise required',
    meaning:
      'Comma-separated list of base64 keys of 32 bytes each, created with `openssl rand -base64 32`. Encrypts stored tokens: the first key encrypts, all keys decrypt. To change the key, add the new key at the front.',
  }),
  SEALING_KEY_PINS: secrets.optional(value.thumbprintList, {
    unset: 'the public key in Redis is trusted',
    meaning:
      'For apps that enqueue without `ENCRYPTION_KEYS`: comma-separated list of thumbprints of the public keys to which they encrypt secrets in requests. Another key in Redis is refused. `tiktok-publisher doctor` on the service prints the thumbprint.',
  }),
  CALLBACK_SECRETS: secrets.optional(value.webhookSecretList, {
    secret: true,
    unset: 'derived from `ENCRYPTION_KEYS`; `tiktok-publisher callbacks secret` prints it',
    meaning:
      'Comma-separated list of secrets that sign callbacks, each `whsec_` and base64 of 24 to 64 bytes. All secrets sign. To change the secret, add the new one at the front, and remove the old one after every receiver has the new one.',
  }),
  ...WEB_SERVER_SETTINGS,
  UPLOADS_PER_ACCOUNT: work.withDefault(value.wholeNumber(1, 100), '1', {
    meaning:
      'Concurrent uploads per account. The other jobs of the account wait for their turn. Workers publish this limit in Redis when they start, so producers do not need it.',
  }),
  MAX_WAIT_HOURS: work.withDefault(value.wholeNumber(1, 8_760), '72', {
    meaning: 'How long a job may wait for rate limits, daily limits or its account. Then it fails with that reason.',
  }),
  // "15 to 30 seconds" (the Standard Webhooks specification, "Deliverability and reliability").
  CALLBACK_TIMEOUT_SECONDS: work.withDefault(value.wholeNumber(1, 300), '15', {
    meaning:
      'Longest time of one delivery of an event, from the resolution of the host name to the response. Raise it for receivers that answer slowly; an event of theirs then holds a place of the worker for longer.',
  }),
  CALLBACK_CONTENT_TYPE: work.withDefault(
    value.oneOf(['application/json', 'application/cloudevents+json']),
    'application/json',
    {
      meaning:
        'Content type of callbacks; the body is the same. `application/cloudevents+json` is the type of the CloudEvents specification, which receivers such as `express.json()` and n8n do not parse by default.',
    },
  ),
  PULL_STALL_MINUTES: work.withDefault(value.wholeNumber(1, 60), '20', {
    meaning:
      "How long TikTok's download of a pull may stall. Then it is cancelled, and the job fails or falls back to an upload. TikTok itself gives up after one hour.",
  }),
  UPLOAD_CONCURRENCY: work.withDefault(value.wholeNumber(1, 1_000), '4', {
    meaning: 'Concurrent uploads per process. Each upload uses a few megabytes of memory.',
  }),
  STATUS_CONCURRENCY: work.withDefault(value.wholeNumber(1, 10_000), '50', {
    meaning: 'Concurrent status polls per process.',
  }),
  CHUNK_SIZE_BYTES: work.withDefault(value.wholeNumber(1, Number.MAX_SAFE_INTEGER), '10000000', {
    meaning:
      'Bytes per uploaded chunk, limited to the range that TikTok accepts (5,000,000 to 64,000,000). Larger chunks need fewer requests. A lost connection repeats at most one chunk.',
  }),
  UPLOAD_MAX_BYTES_PER_SECOND: work.optional(value.wholeNumber(1_000_000, Number.MAX_SAFE_INTEGER), {
    unset: 'no limit',
    meaning:
      'Bytes per second that all uploads of a process take together, from 1,000,000. Uploads at the same time share it equally.',
  }),
  HTTPS_PROXY: ownProcess.optional(value.proxyUrl, {
    secret: true,
    unset: '`HTTP_PROXY`; if that is not set either, connections are direct',
    meaning:
      'URL of the proxy for TikTok, videos at a URL or in object storage, and callbacks, such as `http://user:password@proxy.example.com:3128`. Also read in lower case. Redis does not use it.',
  }),
  HTTP_PROXY: ownProcess.optional(value.proxyUrl, {
    secret: true,
    unset: 'connections are direct',
    meaning:
      'The same for `http://` addresses, and for `https://` if `HTTPS_PROXY` is not set. Also read in lower case.',
  }),
  NO_PROXY: ownProcess.optional(value.text, {
    unset: 'only this machine is reached directly',
    meaning:
      'Comma-separated list of hosts that are reached without the proxy, with their subdomains: `example.com`, `.example.com`, `host:port`, an address or network such as `10.0.0.0/8`, or `*` for all. Also read in lower case.',
  }),
  ...MEDIA_SETTINGS,
  RETENTION_DAYS: queue.withDefault(value.wholeNumber(1, 3_650), '14', {
    meaning: 'Days for which finished jobs, their timelines and their idempotency keys are stored.',
  }),
  METADATA_INDEX: queue.optional(value.textList, {
    unset: 'jobs are not found by metadata',
    meaning:
      'Comma-separated list of keys of `metadata` by which jobs are found (`list --metadata key=value`): text, numbers, true and false at the top of the object. Each costs about 250 bytes of Redis memory for each job that has it. Jobs that exist already are added in the background after a worker starts.',
  }),
  SHUTDOWN_TIMEOUT_MS: ownProcess.withDefault(value.wholeNumber(0, 3_600_000), '25000', {
    meaning:
      'How long running jobs have, after a stop signal, to reach a safe point before they are returned to the queue. Set it below the stop timeout of the process manager (by default 10 s in Docker, 30 s in Kubernetes).',
  }),
  LOG_LEVEL: ownProcess.withDefault(
    value.oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']),
    'info',
    {
      meaning: 'Lowest log level to write: `fatal`, `error`, `warn`, `info`, `debug`, `trace`, or `silent`.',
    },
  ),
  LOG_FORMAT: ownProcess.withDefault(value.oneOf(['auto', 'json', 'pretty']), 'auto', {
    meaning:
      '`json`: one JSON object per line. `pretty`: lines for people, with local time. `auto`: `pretty` on a terminal, otherwise `json`.',
  }),
  METRICS_PORT: ownProcess.optional(value.wholeNumber(0, 65_535), {
    unset: '`worker` serves no metrics; `start` and `server` serve them on `PORT`',
    meaning: 'Port on which `worker` serves `/metrics`, `/healthz` and `/readyz`; 0 picks a free port.',
  }),
  METRICS_HOST: ownProcess.withDefault(value.text, '127.0.0.1', {
    meaning: 'Address for `METRICS_PORT`. These pages contain no secrets and need no login.',
  }),
  OTEL_EXPORTER_OTLP_ENDPOINT: traces.optional(value.webAddress, {
    unset: 'nothing is traced',
    meaning: 'URL of an OpenTelemetry collector (OTLP over HTTP), such as `http://127.0.0.1:4318`.',
  }),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: traces.optional(value.webAddress, {
    unset: '`OTEL_EXPORTER_OTLP_ENDPOINT` plus `/v1/traces`',
    meaning: 'Full URL for traces, if it is different.',
  }),
  OTEL_EXPORTER_OTLP_HEADERS: traces.optional(value.headerList, {
    secret: true,
    unset: 'none',
    meaning: 'Comma-separated list of headers for the collector, `name=value`, often with an API key.',
  }),
  OTEL_SERVICE_NAME: traces.withDefault(value.text, 'tiktok-publisher', {
    meaning: 'Name of this service in traces.',
  }),
  OTEL_SDK_DISABLED: traces.optional(value.looseTrue, {
    unset: 'traces are sent if an endpoint is set',
    meaning: '`true` disables tracing even if an endpoint is set.',
  }),
  XDG_CACHE_HOME: ownProcess.optional(value.text, {
    unset: '`~/.cache`',
    meaning:
      'Folder for files that can be made again: a downloaded Redis program on Debian and Ubuntu without one, and notes of the folders in which a service with an embedded Redis runs.',
  }),
});

export type Settings = z.output<typeof SettingsTable>;

export type SettingName = keyof Settings;

/** What people are told about each setting, in the order of the table. */
export const SETTING_DESCRIPTIONS: readonly (SettingDescription & { readonly variable: SettingName })[] =
  SettingsTable.keyof().options.map((variable) => {
    const description = descriptionOf(SettingsTable.shape[variable]);
    if (!description) throw new Error(`expected a description of ${variable}`);
    return { variable, ...description };
  });
