import { optional, withDefault } from './setting-description.ts';
import * as value from './setting-values.ts';

/** Which Redis to use, and how far it is trusted: part of the table of all settings. */
export const REDIS_SETTINGS = {
  REDIS_URL: optional(value.redisUrl, {
    group: 'Redis',
    secret: true,
    unset: 'a Redis of our own is started in `DATA_DIR`',
    meaning: 'Redis to use, `redis://` or, encrypted, `rediss://`, with user, password and database in the URL.',
  }),
  REDIS_CLUSTER_NODES: optional(value.hostAndPortList, {
    group: 'Redis',
    unset: 'no cluster',
    meaning: 'Some nodes of a Redis Cluster, `host:port,host:port`. Instead of `REDIS_URL`.',
  }),
  REDIS_SENTINELS: optional(value.hostAndPortList, {
    group: 'Redis',
    unset: 'no Sentinel',
    meaning: 'All Redis Sentinels, `host:port,host:port`. Instead of `REDIS_URL`; needs `REDIS_SENTINEL_NAME`.',
  }),
  REDIS_SENTINEL_NAME: optional(value.text, {
    group: 'Redis',
    unset: 'no Sentinel',
    meaning: 'Name under which the Sentinels watch the master, often `mymaster`.',
  }),
  REDIS_USERNAME: optional(value.text, {
    group: 'Redis',
    unset: "Redis's default user",
    meaning: 'User name for a cluster or for the master behind Sentinels. With `REDIS_URL` it goes in the URL.',
  }),
  REDIS_PASSWORD: optional(value.text, {
    group: 'Redis',
    secret: true,
    unset: 'no password',
    meaning: 'Password for a cluster or for the master behind Sentinels. With `REDIS_URL` it goes in the URL.',
  }),
  REDIS_SENTINEL_PASSWORD: optional(value.text, {
    group: 'Redis',
    secret: true,
    unset: 'no password',
    meaning: 'Password of the Sentinels themselves.',
  }),
  REDIS_TLS: optional(value.trueOrFalse, {
    group: 'Redis',
    unset: 'not encrypted',
    meaning:
      '`true` encrypts connections to a cluster, or to Sentinels and their master. With `REDIS_URL` write `rediss://`.',
  }),
  REDIS_WAIT_REPLICAS: optional(value.wholeNumber(0, 10), {
    group: 'Redis',
    unset: '1 with Sentinel and with a cluster, 0 with `REDIS_URL`',
    meaning:
      'How many replicas must have a write before a job counts as accepted and before anything is sent that cannot be taken back. 0 waits for none: then a failover may lose or repeat posts. The same for producers and workers.',
  }),
  REDIS_TLS_CA_FILE: optional(value.text, {
    group: 'Redis',
    unset: 'the authorities that Node knows, and those of `NODE_EXTRA_CA_CERTS`',
    meaning:
      'PEM file with the certificates to trust on encrypted connections to Redis, and on no others. For a Redis whose certificate is self-signed or of a private authority.',
  }),
  REDIS_TLS_CERT_FILE: optional(value.text, {
    group: 'Redis',
    unset: 'no client certificate',
    meaning: 'PEM file with the client certificate for Redis. Together with `REDIS_TLS_KEY_FILE`.',
  }),
  REDIS_TLS_KEY_FILE: optional(value.text, {
    group: 'Redis',
    unset: 'no client certificate',
    meaning: 'PEM file with the key of `REDIS_TLS_CERT_FILE`, without a passphrase.',
  }),
  REDIS_TLS_INSECURE: optional(value.trueOrFalse, {
    group: 'Redis',
    unset: 'the certificate of Redis is checked',
    meaning:
      '`true` accepts any certificate of Redis: the connection is encrypted, but whoever is in between can read and change everything. Only for a while, or where nobody can be in between; `REDIS_TLS_CA_FILE` is the right way.',
  }),
  REDIS_DEAD_PEER_MS: withDefault(value.wholeNumber(1_000, 60_000), '15000', {
    group: 'Redis',
    meaning:
      'Milliseconds without an answer after which a connection to Redis is taken for dead and made anew, although nobody closed it. At least 12000 where workers wait for jobs or events, since no answer is due during a wait.',
  }),
  REDIS_START_WAIT_MS: withDefault(value.wholeNumber(0, 3_600_000), '60000', {
    group: 'Redis',
    meaning:
      'Milliseconds that `start`, `worker`, `server` and `createWorkers` wait at their start for a Redis that is not there yet, is still loading or fails over; 0 does not wait. A wrong password or a missing permission stops them at once.',
  }),
} as const;
