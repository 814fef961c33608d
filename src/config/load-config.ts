import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { isLoopbackHost } from '../core/loopback-host.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../core/units.ts';
import { ConfigError } from './config-error.ts';
import { type Environment, givenSettings, misspelledSettings, type UsedSettings } from './given-settings.ts';
import type { RedisConfig } from './redis-config.ts';
import { findConflicts, type GivenSettings, type NamedProblem } from './setting-conflicts.ts';
import { SETTING_DESCRIPTIONS, type Settings, SettingsTable } from './settings-table.ts';

/** All settings of a process, ready to use: times in ms, sizes in bytes, paths absolute. Frozen. Holds secrets: never log it. */
export type Config = ReturnType<typeof toConfig>;

interface ConfigUse {
  /** Whether the process handles tokens; one that only enqueues needs no keys for them. */
  readonly sealsTokens: boolean;
  /** Whether it opens the web server, which must then be closed to strangers. */
  readonly opensServer?: boolean;
  /** Default: all settings. */
  readonly used?: UsedSettings;
}

/**
 * Reads the settings. An empty variable counts as unset, blanks around a value are ignored.
 *
 * @throws ConfigError with every problem at once
 */
export function loadConfig(env: Environment, use: ConfigUse = { sealsTokens: true }): Config {
  const settings = givenSettings(env, use.used);
  const given: GivenSettings = new Map([...settings].map(([name, { text }]) => [name, text]));
  const parsed = SettingsTable.safeParse(Object.fromEntries(given));
  const invalid = parsed.success ? [] : invalidValues(parsed.error.issues, given);
  const wrong = [...invalid, ...findConflicts(given, use)].map(({ name, message }) => {
    return { variable: settings.get(name)?.variable ?? name, message };
  });
  const problems = [...wrong, ...misspelledSettings(env)];
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems);
  return deepFreeze(toConfig(parsed.data));
}

const MAX_SHOWN = 200;

type Issue = { readonly path: readonly PropertyKey[]; readonly message: string };

function invalidValues(issues: readonly Issue[], given: GivenSettings): NamedProblem[] {
  return SETTING_DESCRIPTIONS.flatMap(({ variable: name, secret }) => {
    const issue = issues.find(({ path }) => path[0] === name);
    if (!issue) return [];
    const text = given.get(name) ?? '';
    const got = secret ? `a secret of ${text.length} characters` : JSON.stringify(shortened(text));
    return [{ name, message: `expected ${issue.message}, got ${got}` }];
  });
}

/** A picture may be a setting. */
function shortened(text: string): string {
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}

function toConfig(settings: Settings) {
  return {
    redis: redisConfig(settings),
    /** Undefined: what suits the kind of Redis. */
    redisWaitReplicas: settings.REDIS_WAIT_REPLICAS,
    /** How long services wait for a Redis that is not there yet; 0: not at all. */
    redisStartWaitMs: settings.REDIS_START_WAIT_MS,
    dataDir: resolve(settings.DATA_DIR),
    cacheDir: cacheDirFrom(settings),
    queuePrefix: settings.QUEUE_PREFIX,
    tiktok: {
      apiBaseUrl: settings.TIKTOK_API_BASE_URL,
      clientKey: settings.TIKTOK_CLIENT_KEY,
      clientSecret: settings.TIKTOK_CLIENT_SECRET,
    },
    /** The first encrypts, all decrypt. Undefined only with the embedded Redis: see `encryptionKeysOf`. */
    encryptionKeys: settings.ENCRYPTION_KEYS,
    /** Undefined: derived from the encryption keys. */
    callbackSecrets: settings.CALLBACK_SECRETS,
    callbackTimeoutMs: settings.CALLBACK_TIMEOUT_SECONDS * SECOND_MS,
    callbackContentType: settings.CALLBACK_CONTENT_TYPE,
    http: {
      host: settings.HOST,
      port: settings.PORT,
      apiKeys: settings.API_KEYS ?? [],
      requestsPerMinute: settings.API_RATE_LIMIT_PER_MINUTE,
      /** Whose word is taken on who the client is. */
      trustedProxies: settings.TRUSTED_PROXIES ?? [],
      maxConnections: settings.MAX_CONNECTIONS,
      maxEventStreams: settings.MAX_EVENT_STREAMS,
      maxEventStreamsPerKey: settings.MAX_EVENT_STREAMS_PER_KEY,
      publicBaseUrl: publicBaseUrl(settings),
      /** Where browsers may be sent back to after connecting an account. */
      returnOrigins: settings.CONNECT_RETURN_ORIGINS ?? [],
      /** How the pages of connecting look. */
      connectPage: {
        name: settings.CONNECT_PAGE_NAME,
        logo: settings.CONNECT_PAGE_LOGO,
        color: settings.CONNECT_PAGE_COLOR,
      },
      /** Below which a proxy serves us, without a slash at its end; usually empty. */
      basePath: settings.BASE_PATH ?? pathOf(settings.PUBLIC_BASE_URL),
      board: loginOf(settings.BOARD_USER, settings.BOARD_PASSWORD),
      /** Who may look at the board and change nothing. */
      boardViewer: loginOf(settings.BOARD_READONLY_USER, settings.BOARD_READONLY_PASSWORD),
    },
    pull: {
      /** Where TikTok reaches the web server; undefined: it downloads nothing from us. */
      baseUrl: settings.PUBLIC_BASE_URL,
      /** Files by which TikTok verifies that address. */
      verificationFiles: (settings.TIKTOK_VERIFICATION_FILES ?? []).map((path) => resolve(path)),
    },
    upload: {
      concurrency: settings.UPLOAD_CONCURRENCY,
      chunkSizeBytes: settings.CHUNK_SIZE_BYTES,
      maxBytesPerSecond: settings.UPLOAD_MAX_BYTES_PER_SECOND,
    },
    uploadsPerAccount: settings.UPLOADS_PER_ACCOUNT,
    metadataIndex: settings.METADATA_INDEX ?? [],
    maxWaitMs: settings.MAX_WAIT_HOURS * HOUR_MS,
    pullStallMs: settings.PULL_STALL_MINUTES * MINUTE_MS,
    status: { concurrency: settings.STATUS_CONCURRENCY },
    /** Undefined: not restricted for CLI and library, no `file` sources over REST. */
    mediaRoots: settings.MEDIA_ROOTS?.map((folder) => resolve(folder)),
    /** Undefined: the public key in Redis is trusted. */
    sealingKeyPins: settings.SEALING_KEY_PINS,
    outboundAllowHosts: settings.OUTBOUND_ALLOW_HOSTS ?? [],
    /** Undefined: the network is left directly. */
    proxy: proxyConfig(settings),
    s3: {
      /** Whether a setting of ours says that `s3` sources are meant to work; platforms set AWS_REGION unasked. */
      isChosen: settings.S3_ENDPOINT !== undefined || settings.S3_REGION !== undefined,
      endpoint: settings.S3_ENDPOINT,
      region: settings.S3_REGION ?? settings.AWS_REGION ?? (settings.S3_ENDPOINT && 'us-east-1'),
      forcePathStyle: settings.S3_FORCE_PATH_STYLE,
    },
    preflight: settings.PREFLIGHT,
    onDuplicate: settings.ON_DUPLICATE,
    duplicateWindowMs: settings.DUPLICATE_WINDOW_HOURS * HOUR_MS,
    retentionMs: settings.RETENTION_DAYS * DAY_MS,
    shutdownTimeoutMs: settings.SHUTDOWN_TIMEOUT_MS,
    logLevel: settings.LOG_LEVEL,
    logFormat: settings.LOG_FORMAT,
    /** Where `worker` serves its metrics. */
    metricsServer: metricsServer(settings),
    /** Undefined: nothing is traced. */
    tracing: tracingConfig(settings),
  } as const;
}

function proxyConfig({ HTTPS_PROXY: https, HTTP_PROXY: http, NO_PROXY: except }: Settings) {
  return https === undefined && http === undefined ? undefined : { https, http, except };
}

function redisConfig(settings: Settings): RedisConfig {
  const deadPeerMs = settings.REDIS_DEAD_PEER_MS;
  const { REDIS_TLS_CA_FILE: caFile, REDIS_TLS_CERT_FILE: certFile, REDIS_TLS_KEY_FILE: keyFile } = settings;
  const tls = { caFile, certFile, keyFile, insecure: settings.REDIS_TLS_INSECURE };
  if (settings.REDIS_URL !== undefined) return { kind: 'url', url: settings.REDIS_URL, deadPeerMs, tls };
  const login = {
    username: settings.REDIS_USERNAME,
    password: settings.REDIS_PASSWORD,
    tls: settings.REDIS_TLS ?? false,
  };
  if (settings.REDIS_CLUSTER_NODES)
    return { kind: 'cluster', nodes: settings.REDIS_CLUSTER_NODES, login, deadPeerMs, tls };
  if (settings.REDIS_SENTINELS && settings.REDIS_SENTINEL_NAME !== undefined) {
    const { REDIS_SENTINELS: nodes, REDIS_SENTINEL_NAME: name, REDIS_SENTINEL_PASSWORD: sentinelPassword } = settings;
    return { kind: 'sentinel', nodes, name, login, sentinelPassword, deadPeerMs, tls };
  }
  return { kind: 'embedded', deadPeerMs };
}

/** Undefined: none is known before the server listens, or it is reached under a name that only its operator knows. */
function publicBaseUrl({ PUBLIC_BASE_URL, HOST: host, PORT: port }: Settings): string | undefined {
  if (PUBLIC_BASE_URL !== undefined) return PUBLIC_BASE_URL;
  if (port === 0 || !isLoopbackHost(host)) return undefined;
  return `http://${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}`;
}

function pathOf(url: string | undefined): string {
  return url === undefined ? '' : new URL(url).pathname.replace(/\/$/, '');
}

function loginOf(user: string | undefined, password: string | undefined) {
  return user !== undefined && password !== undefined ? { user, password } : undefined;
}

function metricsServer({ METRICS_HOST: host, METRICS_PORT: port }: Settings) {
  return port === undefined ? undefined : { host, port };
}

/** The variables of the OpenTelemetry specification ("OTLP Exporter Configuration", read 2026-11-22). */
function tracingConfig(settings: Settings) {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: base, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: whole } = settings;
  const url = whole ?? (base === undefined ? undefined : `${base.replace(/\/$/, '')}/v1/traces`);
  if (url === undefined || settings.OTEL_SDK_DISABLED === true) return undefined;
  return { url, serviceName: settings.OTEL_SERVICE_NAME, headers: settings.OTEL_EXPORTER_OTLP_HEADERS ?? {} };
}

/** Freezes plain objects and arrays; the bytes of keys cannot be frozen. */
function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}

/** Folder for files that can be made again, such as an unpacked Redis. @internal */
export function cacheDirFrom(settings: { readonly XDG_CACHE_HOME?: string | undefined }): string {
  return join(resolve(settings.XDG_CACHE_HOME || join(homedir(), '.cache')), 'tiktok-publisher');
}
