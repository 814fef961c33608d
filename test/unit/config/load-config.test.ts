import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../../src/config/config-error.ts';
import { loadConfig } from '../../../src/config/load-config.ts';

const KEY = Buffer.alloc(32, 7).toString('base64');
const OTHER_KEY = Buffer.alloc(32, 8).toString('base64');

function problemsOf(env: Record<string, string>, use?: Parameters<typeof loadConfig>[1]): Record<string, string> {
  try {
    loadConfig(env, use);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return Object.fromEntries(error.problems.map(({ variable, message }) => [variable, message]));
  }
  return {};
}

describe('defaults', () => {
  it('needs no setting at all', () => {
    expect(loadConfig({})).toMatchObject({
      redis: { kind: 'embedded' },
      dataDir: resolve('.tiktok-publisher'),
      queuePrefix: '{tiktok-publisher}',
      tiktok: { apiBaseUrl: 'https://open.tiktokapis.com', clientKey: undefined, clientSecret: undefined },
      encryptionKeys: undefined,
      http: {
        host: '127.0.0.1',
        port: 3000,
        apiKeys: [],
        publicBaseUrl: 'http://127.0.0.1:3000',
        basePath: '',
        board: undefined,
        boardViewer: undefined,
      },
      upload: { concurrency: 4, chunkSizeBytes: 10_000_000 },
      status: { concurrency: 50 },
      mediaRoots: undefined,
      outboundAllowHosts: [],
      preflight: 'refuse',
      retentionMs: 14 * 24 * 3600 * 1000,
      shutdownTimeoutMs: 25_000,
      logLevel: 'info',
    });
  });

  it('F22: gives a receiver as long as the Standard Webhooks specification wants, unless told otherwise', () => {
    expect(loadConfig({}).callbackTimeoutMs).toBe(15_000);
    expect(loadConfig({ CALLBACK_TIMEOUT_SECONDS: '30' }).callbackTimeoutMs).toBe(30_000);
    expect(problemsOf({ CALLBACK_TIMEOUT_SECONDS: '0' })).toHaveProperty('CALLBACK_TIMEOUT_SECONDS');
  });

  it('treats empty and blank variables as unset', () => {
    expect(loadConfig({ REDIS_URL: '', PORT: '  ', ENCRYPTION_KEYS: '' })).toEqual(loadConfig({}));
  });

  it('ignores variables that are not its own', () => {
    expect(loadConfig({ HOME: '/nowhere', REDIS: 'x' })).toEqual(loadConfig({}));
  });

  it('keeps downloads in XDG_CACHE_HOME if that is set', () => {
    expect(loadConfig({ XDG_CACHE_HOME: '/var/cache/me' }).cacheDir).toBe('/var/cache/me/tiktok-publisher');
    expect(loadConfig({}).cacheDir).toMatch(/\/\.cache\/tiktok-publisher$/);
  });
});

describe('values', () => {
  it('reads every kind of Redis', () => {
    const login = { username: undefined, password: undefined, tls: false };
    const keys = { ENCRYPTION_KEYS: KEY };
    expect(loadConfig({ ...keys, REDIS_URL: 'rediss://u:p@r.example:6380/2' }).redis).toMatchObject({
      kind: 'url',
      url: 'rediss://u:p@r.example:6380/2',
    });
    expect(loadConfig({ ...keys, REDIS_CLUSTER_NODES: 'a:7000, [::1]:7001' }).redis).toMatchObject({
      kind: 'cluster',
      nodes: [
        { host: 'a', port: 7000 },
        { host: '::1', port: 7001 },
      ],
      login,
    });
    const sentinel = {
      REDIS_SENTINELS: 's1:26379',
      REDIS_SENTINEL_NAME: 'mymaster',
      REDIS_PASSWORD: 'pw',
      REDIS_TLS: 'true',
    };
    expect(loadConfig({ ...keys, ...sentinel }).redis).toMatchObject({
      kind: 'sentinel',
      nodes: [{ host: 's1', port: 26379 }],
      name: 'mymaster',
      login: { username: undefined, password: 'pw', tls: true },
      sentinelPassword: undefined,
    });
  });

  it.each(['50%off', 'a#b', 'a/b', '12#b', '12/b', '12?b@c'])(
    'asks for a Redis password such as "%s" percent-encoded, without showing it',
    (password) => {
      const problem = problemsOf({ ENCRYPTION_KEYS: KEY, REDIS_URL: `redis://me:${password}@r.example:6379` });
      expect(problem.REDIS_URL).toContain('percent-encoded');
      expect(problem.REDIS_URL).toContain('got a secret of');
      expect(problem.REDIS_URL).not.toContain(password);
      const encoded = `redis://me:${encodeURIComponent(password)}@r.example:6379`;
      expect(problemsOf({ ENCRYPTION_KEYS: KEY, REDIS_URL: encoded })).toEqual({});
    },
  );

  it.each(['maxRetriesPerRequest=20', 'enableOfflineQueue=false', 'keyPrefix=hunter2', 'retryStrategy=hunter2'])(
    'refuses the option %s in REDIS_URL, which connections choose themselves, and takes others',
    (option) => {
      const [name] = option.split('=');
      const problem = problemsOf({ ENCRYPTION_KEYS: KEY, REDIS_URL: `redis://r.example:6379?family=6&${option}` });
      expect(problem.REDIS_URL).toContain(`without ${name} (remove that`);
      expect(problem.REDIS_URL).not.toContain('hunter2');
      expect(problemsOf({ ENCRYPTION_KEYS: KEY, REDIS_URL: 'redis://r.example:6379?family=6' })).toEqual({});
    },
  );

  it('reads the TLS files of Redis, and refuses them for a connection that is not encrypted', () => {
    const files = { REDIS_TLS_CA_FILE: '/ca.pem', REDIS_TLS_CERT_FILE: '/a.pem', REDIS_TLS_KEY_FILE: '/a.key' };
    const keys = { ENCRYPTION_KEYS: KEY };
    expect(loadConfig({ ...keys, ...files, REDIS_URL: 'rediss://r.example' }).redis).toMatchObject({
      tls: { caFile: '/ca.pem', certFile: '/a.pem', keyFile: '/a.key' },
    });
    const plain = problemsOf({ ...keys, ...files, REDIS_URL: 'redis://r.example' });
    expect(plain.REDIS_TLS_CA_FILE).toContain('rediss://');
    const cluster = problemsOf({ ...keys, REDIS_CLUSTER_NODES: 'a:1', REDIS_TLS_INSECURE: 'true' });
    expect(cluster.REDIS_TLS_INSECURE).toContain('REDIS_TLS=true');
    const half = problemsOf({ ...keys, REDIS_TLS_KEY_FILE: '/a.key', REDIS_URL: 'rediss://r.example' });
    expect(half.REDIS_TLS_CERT_FILE).toContain('REDIS_TLS_KEY_FILE');
  });

  it('reads the proxies as all programs have them, in lower case too, and never shows them', () => {
    expect(loadConfig({ NO_PROXY: 'a.example' }).proxy).toBeUndefined();
    expect(loadConfig({ https_proxy: 'proxy:3128', HTTPS_PROXY: 'http://other', no_proxy: 'a.example' }).proxy).toEqual(
      {
        ...{ https: 'http://proxy:3128', http: undefined, except: 'a.example' },
      },
    );
    expect(
      loadConfig({ HTTP_PROXY: 'http://me:pw@proxy', TIKTOK_PUBLISHER_HTTP_PROXY: 'http://ours' }).proxy,
    ).toMatchObject({
      http: 'http://ours',
    });
    for (const HTTPS_PROXY of ['socks5://hunter2', 'http://me:50%hunter2@proxy']) {
      const problem = problemsOf({ HTTPS_PROXY }).HTTPS_PROXY;
      expect(problem).toContain('a secret of');
      expect(problem).not.toContain('hunter2');
    }
  });

  it('reads lists, keys and numbers', () => {
    const config = loadConfig({
      ENCRYPTION_KEYS: `${KEY}, ${OTHER_KEY}`,
      API_KEYS: 'first-key-of-two,second-key-of-two,',
      MEDIA_ROOTS: '/srv/videos, media',
      OUTBOUND_ALLOW_HOSTS: 'MinIO:9000,10.0.0.0/8,[::1]:80,fd00::/8,127.0.0.1',
      RETENTION_DAYS: '1',
      PORT: '0',
      HOST: '0.0.0.0',
      BOARD_USER: 'ops',
      BOARD_PASSWORD: 'password-of-ops',
      BOARD_READONLY_USER: 'guest',
      BOARD_READONLY_PASSWORD: 'password-of-guest',
      TIKTOK_API_BASE_URL: 'http://127.0.0.1:4000/',
    });
    expect(config.encryptionKeys?.map((key) => key.toString('base64'))).toEqual([KEY, OTHER_KEY]);
    expect(config.http).toEqual({
      host: '0.0.0.0',
      port: 0,
      apiKeys: ['first-key-of-two', 'second-key-of-two'],
      requestsPerMinute: 600,
      ...{ trustedProxies: [], maxConnections: 800, maxEventStreams: 500, maxEventStreamsPerKey: 200 },
      basePath: '',
      board: { user: 'ops', password: 'password-of-ops' },
      boardViewer: { user: 'guest', password: 'password-of-guest' },
      returnOrigins: [],
      connectPage: {},
    });
    expect(config.mediaRoots).toEqual(['/srv/videos', resolve('media')]);
    expect(config.outboundAllowHosts).toEqual(['minio:9000', '10.0.0.0/8', '[::1]:80', 'fd00::/8', '127.0.0.1']);
    expect(config.retentionMs).toBe(86_400_000);
    expect(config.tiktok.apiBaseUrl).toBe('http://127.0.0.1:4000');
  });

  it('cannot be changed afterwards', () => {
    const config = loadConfig({});
    expect(() => Object.assign(config.upload, { concurrency: 9 })).toThrow(TypeError);
    expect(Object.isFrozen(config.http.apiKeys)).toBe(true);
  });
});

describe('problems', () => {
  it('lists all of them at once, with what was given', () => {
    const env = {
      PORT: '99999',
      UPLOAD_CONCURRENCY: 'many',
      PREFLIGHT: 'maybe',
      QUEUE_PREFIX: 'plain:prefix',
      TIKTOK_API_BASE_URL: 'http://tiktok.example',
      OUTBOUND_ALLOW_HOSTS: '10.0.0.0/40',
      REDIS_CLUSTER_NODES: 'no-port',
      LOG_LEVEL: 'loud',
      SHUTDOWN_TIMEOUT_MS: '-1',
    };
    const problems = problemsOf(env);
    const wrong = Object.keys(env).filter(
      (name) => !problems[name]?.includes(JSON.stringify(env[name as keyof typeof env])),
    );
    expect(wrong).toEqual([]);
    expect(problems.PORT).toBe('expected a whole number from 0 to 65535, got "99999"');
  });

  it('carries the stable code and names every variable in its message', () => {
    expect(() => loadConfig({ PORT: 'x', LOG_LEVEL: 'y' })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(/PORT[\s\S]*LOG_LEVEL/) }),
    );
  });

  it.each([
    ['REDIS_URL', 'http://user:hunter2@host'],
    ['REDIS_URL', 'hunter2:6379'],
    ['REDIS_URL', 'redis://127.0.0.1:6379/hunter2'],
    ['ENCRYPTION_KEYS', 'hunter2'],
    ['ENCRYPTION_KEYS', `${KEY},${Buffer.from('hunter2 hunter2').toString('base64')}`],
  ])('never shows the value of %s (%#)', (variable, given) => {
    const message = problemsOf({ [variable]: given })[variable];
    expect(message).toContain(`a secret of ${given.length} characters`);
    expect(message).not.toContain('hunter2');
    expect(message).not.toContain(given);
  });

  it('says which of several keys is wrong', () => {
    expect(problemsOf({ ENCRYPTION_KEYS: `${KEY},AAAA,${KEY}` }).ENCRYPTION_KEYS).toContain('key 2 of 3');
  });

  it('refuses more than one kind of Redis', () => {
    const env = {
      REDIS_URL: 'redis://a',
      REDIS_CLUSTER_NODES: 'a:1',
      REDIS_SENTINELS: 'a:1',
      REDIS_SENTINEL_NAME: 'm',
    };
    expect(Object.keys(problemsOf({ ...env, ENCRYPTION_KEYS: KEY }))).toEqual([
      'REDIS_CLUSTER_NODES',
      'REDIS_SENTINELS',
    ]);
  });

  it('requires keys with a Redis that other processes use too', () => {
    expect(problemsOf({ REDIS_URL: 'redis://a' }).ENCRYPTION_KEYS).toContain('openssl rand -base64 32');
  });

  it('requires no keys of a process that only enqueues', () => {
    expect(loadConfig({ REDIS_URL: 'redis://a' }, { sealsTokens: false }).encryptionKeys).toBeUndefined();
  });

  it.each([
    ['BOARD_USER', 'BOARD_PASSWORD'],
    ['BOARD_READONLY_USER', 'BOARD_READONLY_PASSWORD'],
    ['TIKTOK_CLIENT_KEY', 'TIKTOK_CLIENT_SECRET'],
  ])('refuses %s without %s and the other way round', (first, second) => {
    expect(problemsOf({ [first]: 'x' })[second]).toContain(first);
    expect(problemsOf({ [second]: 'x' })[first]).toContain(second);
  });

  it('refuses a login that may only look where nobody has the login that may act', () => {
    const viewer = { BOARD_READONLY_USER: 'guest', BOARD_READONLY_PASSWORD: 'look' };
    expect(problemsOf(viewer).BOARD_USER).toContain('BOARD_READONLY_USER');
    const sameName = { ...viewer, BOARD_USER: 'guest', BOARD_PASSWORD: 'pw' };
    expect(problemsOf(sameName).BOARD_READONLY_USER).toContain('a different name');
    expect(problemsOf({ ...sameName, BOARD_USER: 'ops' })).toEqual({});
  });

  it('refuses to look for the same video among jobs that are forgotten by then', () => {
    expect(problemsOf({ DUPLICATE_WINDOW_HOURS: '337' }).DUPLICATE_WINDOW_HOURS).toContain('14 days of RETENTION_DAYS');
    expect(problemsOf({ DUPLICATE_WINDOW_HOURS: '25', RETENTION_DAYS: '1' }).DUPLICATE_WINDOW_HOURS).toContain(
      '1 days',
    );
    expect(problemsOf({ DUPLICATE_WINDOW_HOURS: '336' })).toEqual({});
    expect(problemsOf({ RETENTION_DAYS: '1' })).toEqual({});
  });

  it('refuses to listen beyond this machine without API keys', () => {
    expect(problemsOf({ HOST: '0.0.0.0' }).API_KEYS).toContain('HOST=0.0.0.0');
    expect(problemsOf({ HOST: '::1' })).toEqual({});
    expect(problemsOf({ HOST: '0.0.0.0', API_KEYS: 'key-of-this-test' })).toEqual({});
  });

  it('refuses keys and passwords there that can be guessed', () => {
    for (const API_KEYS of ['a', 'key-of-this-test,short', 'aaaaaaaaaaaaaaaa']) {
      expect(problemsOf({ HOST: '0.0.0.0', API_KEYS }).API_KEYS).toContain('openssl rand');
      expect(problemsOf({ API_KEYS })).toEqual({});
    }
    const board = { BOARD_USER: 'ops', BOARD_PASSWORD: 'hunter2' };
    const weak = problemsOf({ HOST: '0.0.0.0', API_KEYS: 'key-of-this-test', ...board }).BOARD_PASSWORD;
    expect(weak).toContain('can be guessed');
    expect(weak).not.toContain('hunter2');
  });

  it('asks for keys and a login where a proxy passes the world on to this machine', () => {
    const problems = (env: Record<string, string>, opensServer = true) =>
      Object.keys(problemsOf(env, { sealsTokens: true, opensServer }));
    const PUBLIC_BASE_URL = 'https://publisher.example.com';
    const login = { BOARD_USER: 'ops', BOARD_PASSWORD: 'password-of-ops' };
    expect(problems({ PUBLIC_BASE_URL })).toEqual(['API_KEYS', 'BOARD_USER']);
    expect(problems({ PUBLIC_BASE_URL, API_KEYS: 'a', ...login })).toEqual(['API_KEYS']);
    expect(problems({ PUBLIC_BASE_URL, API_KEYS: 'key-of-this-test', ...login })).toEqual([]);
    expect(problems({ PUBLIC_BASE_URL: 'http://localhost:3000' })).toEqual([]);
    expect(problems({ TRUSTED_PROXIES: '127.0.0.1' })).toEqual(['API_KEYS', 'BOARD_USER']);
    expect(problems({ BASE_PATH: '/tiktok', API_KEYS: 'key-of-this-test' })).toEqual(['BOARD_USER']);
    // Workers and commands need the address, and open nothing.
    expect(problems({ PUBLIC_BASE_URL }, false)).toEqual([]);
  });

  it('keeps room for other requests beside event streams', () => {
    expect(problemsOf({ MAX_CONNECTIONS: '500' }).MAX_EVENT_STREAMS).toContain('MAX_CONNECTIONS is 500');
    expect(problemsOf({ MAX_CONNECTIONS: '501' })).toEqual({});
  });

  it('trusts proxies by address or network', () => {
    expect(loadConfig({ TRUSTED_PROXIES: '127.0.0.1, fd00::/8' }).http.trustedProxies).toEqual([
      '127.0.0.1',
      'fd00::/8',
    ]);
    for (const TRUSTED_PROXIES of ['true', 'proxy.example.com', '10.0.0.0/33'])
      expect(problemsOf({ TRUSTED_PROXIES }).TRUSTED_PROXIES).toContain('addresses or CIDRs');
  });
});

describe('what owners of accounts see', () => {
  it('has a name, a logo and a colour, and leads back to the origins that are listed', () => {
    const { http } = loadConfig({
      CONNECT_RETURN_ORIGINS: 'https://App.example.com/, http://127.0.0.1:5000,https://b.example:8443',
      CONNECT_PAGE_NAME: 'Acme',
      CONNECT_PAGE_LOGO: 'https://cdn.example.com/logo.svg?v=1',
      CONNECT_PAGE_COLOR: '#0F766e',
    });
    expect(http.returnOrigins).toEqual(['https://app.example.com', 'http://127.0.0.1:5000', 'https://b.example:8443']);
    expect(http.connectPage).toEqual({
      ...{ name: 'Acme', logo: 'https://cdn.example.com/logo.svg?v=1', color: '#0F766e' },
    });
    const logo = 'data:image/svg+xml;base64,PHN2Zz48L3N2Zz4=';
    expect(loadConfig({ CONNECT_PAGE_LOGO: logo }).http.connectPage.logo).toBe(logo);
  });

  it.each([
    ['CONNECT_RETURN_ORIGINS', 'app.example.com', 'https://app.example.com'],
    ['CONNECT_RETURN_ORIGINS', 'https://app.example.com/settings', 'without a path'],
    ['CONNECT_RETURN_ORIGINS', 'http://app.example.com', 'http:// only for localhost'],
    ['CONNECT_RETURN_ORIGINS', 'https://app.example.com,*', 'https://app.example.com'],
    ['CONNECT_RETURN_ORIGINS', ',', 'https://app.example.com'],
    ['CONNECT_PAGE_NAME', 'a'.repeat(61), 'at most 60 characters'],
    ['CONNECT_PAGE_LOGO', 'http://cdn.example.com/logo.png', 'https://'],
    ['CONNECT_PAGE_LOGO', "https://cdn.example.com/a;script-src 'unsafe-inline'", 'https://'],
    ['CONNECT_PAGE_LOGO', 'data:text/html;base64,AAAA', 'data:image/png;base64'],
    ['CONNECT_PAGE_LOGO', 'javascript:alert(1)', 'https://'],
    ['CONNECT_PAGE_COLOR', 'red', 'such as #0f766e'],
    ['CONNECT_PAGE_COLOR', '#fff;}', 'such as #0f766e'],
  ])('refuses %s=%s', (variable, text, expected) => {
    expect(problemsOf({ [variable]: text })[variable]).toContain(expected);
  });

  it('is not repeated in full where a picture is wrong', () => {
    const logo = `data:image/png;base64,${'!'.repeat(10_000)}`;
    expect(problemsOf({ CONNECT_PAGE_LOGO: logo }).CONNECT_PAGE_LOGO?.length).toBeLessThan(500);
  });
});

describe('the public address', () => {
  const publicBaseUrl = (env: Record<string, string>) => loadConfig(env).http.publicBaseUrl;

  it('is that of the loopback server unless told', () => {
    expect(publicBaseUrl({ HOST: '::1', PORT: '8080' })).toBe('http://[::1]:8080');
    expect(publicBaseUrl({ PORT: '0' })).toBeUndefined();
    expect(publicBaseUrl({ HOST: '0.0.0.0', API_KEYS: 'key-of-this-test' })).toBeUndefined();
    expect(publicBaseUrl({ PUBLIC_BASE_URL: 'https://a.example/tiktok/' })).toBe('https://a.example/tiktok');
  });

  it('has a path below which links stand, and BASE_PATH says the same', () => {
    const basePath = (env: Record<string, string>) => loadConfig(env).http.basePath;
    expect(basePath({})).toBe('');
    expect(basePath({ PUBLIC_BASE_URL: 'https://a.example' })).toBe('');
    expect(basePath({ PUBLIC_BASE_URL: 'https://a.example/x/tiktok/' })).toBe('/x/tiktok');
    for (const path of ['/tiktok', 'tiktok', '/tiktok/']) {
      expect(basePath({ BASE_PATH: path, PUBLIC_BASE_URL: 'https://a.example/tiktok' })).toBe('/tiktok');
    }
    expect(problemsOf({ BASE_PATH: '/a', PUBLIC_BASE_URL: 'https://a.example' }).BASE_PATH).toContain('must end with');
    for (const path of ['/v1', 'board/x', '/a b', '//evil.example', '/..']) {
      expect(problemsOf({ BASE_PATH: path }).BASE_PATH).toContain('a path such as /tiktok');
    }
  });

  it('is https, since codes that become tokens travel there', () => {
    expect(problemsOf({ PUBLIC_BASE_URL: 'http://a.example' }).PUBLIC_BASE_URL).toContain('https://');
  });
});
