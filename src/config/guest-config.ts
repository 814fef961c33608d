import { type Environment, type UsedSettings, withSettings } from './given-settings.ts';
import { type Config, loadConfig } from './load-config.ts';
import { SETTING_DESCRIPTIONS, type SettingName } from './settings-table.ts';

/** Without them a publisher can do nothing. */
const EVERY_PUBLISHER: readonly SettingName[] = [
  ...namesOf(({ group, variable }) => group === 'Redis' && variable !== 'REDIS_START_WAIT_MS'),
  ...(['DATA_DIR', 'XDG_CACHE_HOME', 'QUEUE_PREFIX'] as const),
];

/**
 * The settings of a publisher in another app's process. Those that only some calls need are read by these calls, so that
 * a variable which the app has for itself cannot keep it from enqueuing.
 *
 * @throws ConfigError as soon as a setting that is used is wrong
 */
export function loadPublisherConfig(env: Environment) {
  const read = (names: readonly SettingName[]): Config => loadConfig(env, { sealsTokens: false, used: { names } });
  const { redis, redisWaitReplicas, dataDir, cacheDir, queuePrefix } = read(EVERY_PUBLISHER);
  return {
    ...{ redis, redisWaitReplicas, dataDir, cacheDir, queuePrefix },
    get outboundAllowHosts() {
      return read(['OUTBOUND_ALLOW_HOSTS']).outboundAllowHosts;
    },
    get encryptionKeys() {
      return read(['ENCRYPTION_KEYS']).encryptionKeys;
    },
    get sealingKeyPins() {
      return read(['SEALING_KEY_PINS']).sealingKeyPins;
    },
    get mediaRoots() {
      return read(['MEDIA_ROOTS']).mediaRoots;
    },
    get s3() {
      return read(['S3_ENDPOINT', 'S3_REGION', 'AWS_REGION', 'S3_FORCE_PATH_STYLE']).s3;
    },
    get onDuplicate() {
      return read(['ON_DUPLICATE']).onDuplicate;
    },
    get duplicateWindowMs() {
      return read(['DUPLICATE_WINDOW_HOURS', 'RETENTION_DAYS']).duplicateWindowMs;
    },
    get http() {
      // Where the service listens is not known here: PORT is that of the app.
      const known = withSettings(env, { PORT: '0' });
      return loadConfig(known, {
        sealsTokens: false,
        used: { names: ['PUBLIC_BASE_URL', 'CONNECT_RETURN_ORIGINS', 'PORT'] },
      }).http;
    },
    get proxy() {
      return read(['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY']).proxy;
    },
    get tiktok() {
      return read(['TIKTOK_API_BASE_URL', 'TIKTOK_CLIENT_KEY', 'TIKTOK_CLIENT_SECRET']).tiktok;
    },
  };
}

const OF_THE_SERVICE: readonly SettingName[] = ['METRICS_PORT', 'METRICS_HOST'];
/** What the app around sets for its own log and its own traces is not meant for ours. */
const OF_THE_APP: readonly SettingName[] = ['LOG_LEVEL', 'LOG_FORMAT', ...namesOf(({ group }) => group === 'Traces')];

const WORKERS: UsedSettings = {
  names: namesOf(
    ({ group, variable }) => group !== 'Web server' && ![...OF_THE_SERVICE, ...OF_THE_APP].includes(variable),
  ),
  // The app has an address of its own; the service's is where TikTok downloads media.
  onlyPrefixed: [...OF_THE_APP, 'PUBLIC_BASE_URL'],
};

/** The settings of workers in another app's process. @throws ConfigError */
export function loadWorkersConfig(env: Environment): Config {
  return loadConfig(env, { sealsTokens: true, used: WORKERS });
}

function namesOf(isOne: (setting: (typeof SETTING_DESCRIPTIONS)[number]) => boolean): SettingName[] {
  return SETTING_DESCRIPTIONS.filter(isOne).map(({ variable }) => variable);
}
