import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../../src/config/config-error.ts';
import { type Environment, withSettings } from '../../../src/config/given-settings.ts';
import { loadPublisherConfig, loadWorkersConfig } from '../../../src/config/guest-config.ts';
import { loadConfig } from '../../../src/config/load-config.ts';
import { SETTING_DESCRIPTIONS } from '../../../src/config/settings-table.ts';

const ENCRYPTION_KEYS = Buffer.alloc(32, 7).toString('base64');

function problemsOf(load: () => unknown): Record<string, string> {
  try {
    load();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return Object.fromEntries(error.problems.map(({ variable, message }) => [variable, message]));
  }
  return {};
}

describe('a setting with the prefix', () => {
  it('wins over the plain one, unless it is empty', () => {
    const env = { PORT: 'abc', TIKTOK_PUBLISHER_PORT: '4000', LOG_LEVEL: 'warn', TIKTOK_PUBLISHER_LOG_LEVEL: ' ' };
    expect(loadConfig(env)).toMatchObject({ http: { port: 4000 }, logLevel: 'warn' });
  });

  it('exists for every setting, and is named as it was given when it is wrong', () => {
    for (const { variable } of SETTING_DESCRIPTIONS) {
      expect(Object.keys(problemsOf(() => loadConfig({ [`TIKTOK_PUBLISHER_${variable}`]: '' })))).toEqual([]);
    }
    expect(problemsOf(() => loadConfig({ TIKTOK_PUBLISHER_PORT: 'abc', HOST: '0.0.0.0' }))).toEqual({
      TIKTOK_PUBLISHER_PORT: 'expected a whole number from 0 to 65535, got "abc"',
      API_KEYS: expect.stringContaining('HOST=0.0.0.0'),
    });
  });

  it('names one Redis, whatever the app around says of its own', () => {
    const app = { REDIS_SENTINELS: 's:1', REDIS_SENTINEL_NAME: 'm', REDIS_TLS_CA_FILE: '/ca.pem', ENCRYPTION_KEYS };
    const ours = { TIKTOK_PUBLISHER_REDIS_URL: 'redis://ours:6379' };
    expect(loadConfig({ ...app, ...ours }).redis).toMatchObject({ kind: 'url', url: 'redis://ours:6379' });
    expect(loadConfig(withSettings({ ...app, ...ours }, { REDIS_URL: 'redis://given' })).redis).toMatchObject({
      ...{ kind: 'url', url: 'redis://given', tls: { caFile: undefined } },
    });
  });

  it.each([
    ['TIKTOK_PUBLISHER_LOGLEVEL', 'did you mean TIKTOK_PUBLISHER_LOG_LEVEL?'],
    ['TIKTOK_PUBLISHER_REDIS_ULR', 'did you mean TIKTOK_PUBLISHER_REDIS_URL?'],
    ['TIKTOK_PUBLISHER_ENCRYPTION_KEY', 'did you mean TIKTOK_PUBLISHER_ENCRYPTION_KEYS?'],
    ['TIKTOK_PUBLISHER_XYZZY', 'remove it'],
  ])('%s is no setting: %s', (variable, fix) => {
    const env = { [variable]: 'x', ENCRYPTION_KEYS };
    for (const load of [loadConfig, loadPublisherConfig, loadWorkersConfig]) {
      expect(problemsOf(() => load(env))).toEqual({ [variable]: `is not a setting of tiktok-publisher: ${fix}` });
    }
  });

  it('is not what Kubernetes sets for a Service of this name', () => {
    const links = {
      TIKTOK_PUBLISHER_SERVICE_HOST: '10.0.0.11',
      TIKTOK_PUBLISHER_SERVICE_PORT: '3000',
      TIKTOK_PUBLISHER_SERVICE_PORT_HTTP: '3000',
      TIKTOK_PUBLISHER_PORT: 'tcp://10.0.0.11:3000',
      TIKTOK_PUBLISHER_PORT_3000_TCP: 'tcp://10.0.0.11:3000',
      TIKTOK_PUBLISHER_PORT_3000_TCP_PROTO: 'tcp',
      TIKTOK_PUBLISHER_PORT_3000_TCP_PORT: '3000',
      TIKTOK_PUBLISHER_PORT_3000_TCP_ADDR: '10.0.0.11',
      TIKTOK_PUBLISHER_METRICS_PORT: 'tcp://10.0.0.12:9464',
    };
    expect(loadConfig(links)).toEqual(loadConfig({}));
  });
});

/** An app whose variables have the names of our settings, and none of their values. */
const HOSTILE_APP: Environment = Object.fromEntries(SETTING_DESCRIPTIONS.map(({ variable }) => [variable, ', \u0000']));
const PLAIN = ['REDIS_URL', 'QUEUE_PREFIX', 'DATA_DIR', 'XDG_CACHE_HOME'];

describe('a guest', () => {
  it('that enqueues reads the settings by which it finds its queue, and no others', () => {
    const ours = { TIKTOK_PUBLISHER_REDIS_URL: 'redis://ours:6379', TIKTOK_PUBLISHER_QUEUE_PREFIX: '{ours}' };
    const redis = Object.keys(HOSTILE_APP).filter((name) => /^REDIS_(?!START)/.test(name));
    const used = Object.fromEntries([...redis, ...PLAIN].map((name) => [name, undefined]));
    const config = loadPublisherConfig({ ...HOSTILE_APP, ...used, ...ours });
    expect(config).toMatchObject({ redis: { url: 'redis://ours:6379' }, queuePrefix: '{ours}' });
    expect(Object.keys(problemsOf(() => config.encryptionKeys))).toEqual(['ENCRYPTION_KEYS']);
    expect(Object.keys(problemsOf(() => config.s3))).toEqual(['S3_ENDPOINT', 'S3_FORCE_PATH_STYLE']);
    expect(Object.keys(problemsOf(() => config.outboundAllowHosts))).toEqual(['OUTBOUND_ALLOW_HOSTS']);
    expect(Object.keys(problemsOf(() => config.tiktok))).toEqual(['TIKTOK_API_BASE_URL']);
    expect(Object.keys(problemsOf(() => config.http))).toEqual(['PUBLIC_BASE_URL', 'CONNECT_RETURN_ORIGINS']);
  });

  it("does not take the app's own address for that of the service", () => {
    expect(loadPublisherConfig({ HOST: '127.0.0.1', PORT: '8080' }).http.publicBaseUrl).toBeUndefined();
    const { http } = loadPublisherConfig({ TIKTOK_PUBLISHER_PUBLIC_BASE_URL: 'https://publisher.example.com' });
    expect(http.publicBaseUrl).toBe('https://publisher.example.com');
  });

  it('that works leaves the web server, the log and the traces to the app around', () => {
    const app = Object.fromEntries(
      SETTING_DESCRIPTIONS.filter(
        ({ group, variable }) => ['Web server', 'Traces'].includes(group) || /^(LOG|METRICS)_/.test(variable),
      ).map(({ variable }) => [variable, 'x']),
    );
    expect(Object.keys(app)).toEqual(expect.arrayContaining(['HOST', 'PORT', 'API_KEYS', 'LOG_LEVEL']));
    expect(loadWorkersConfig({ ...app, ENCRYPTION_KEYS })).toEqual(loadWorkersConfig({ ENCRYPTION_KEYS }));
    expect(loadWorkersConfig({ TIKTOK_PUBLISHER_LOG_LEVEL: 'debug' }).logLevel).toBe('debug');
    const service = { TIKTOK_PUBLISHER_PUBLIC_BASE_URL: 'https://publisher.example.com' };
    expect(loadWorkersConfig(service).pull.baseUrl).toBe('https://publisher.example.com');
    expect(problemsOf(() => loadWorkersConfig({ UPLOAD_CONCURRENCY: 'many' }))).toHaveProperty('UPLOAD_CONCURRENCY');
  });

  it('does not fail on a prefixed setting that it does not use', () => {
    expect(problemsOf(() => loadPublisherConfig({ TIKTOK_PUBLISHER_PORT: 'abc' }))).toEqual({});
  });
});
