import { settingsOf } from './setting-description.ts';
import * as value from './setting-values.ts';

const redis = settingsOf('Redis');

/** Which Redis to use, and how far it is trusted: part of the table of all settings. */
export const REDIS_SETTINGS = {
  REDIS_URL: redis.optional(value.redisUrl, {
    secret: true,
    unset: 'an embedded Redis in `DATA_DIR`, started by the service',
    meaning: 'URL of Redis, `redis://` or, encrypted, `rediss://`, with user name, password and database.',
  }),
  REDIS_CLUSTER_NODES: redis.optional(value.hostAndPortList, {
    unset: 'no cluster',
    meaning: 'One or more nodes of a Redis Cluster, `host:port,host:port`. Use instead of `REDIS_URL`.',
  }),
  REDIS_SENTINELS: redis.optional(value.hostAndPortList, {
    unset: 'no Sentinel',
    meaning: 'All Redis Sentinels, `host:port,host:port`. Use instead of `REDIS_URL`. Requires `REDIS_SENTINEL_NAME`.',
  }),
  REDIS_SENTINEL_NAME: redis.optional(value.text, {
    unset: 'no Sentinel',
    meaning: "Name of the master in the Sentinels' configuration, often `mymaster`.",
  }),
  REDIS_USERNAME: redis.optional(value.text, {
    unset: "Redis's default user",
    meaning: 'User name for a cluster or for the master behind Sentinels. With `REDIS_URL`, put it in the URL.',
  }),
  REDIS_PASSWORD: redis.optional(value.text, {
    secret: true,
    unset: 'no password',
    meaning: 'Password for a cluster or for the master behind Sentinels. With `REDIS_URL`, put it in the URL.',
  }),
  REDIS_SENTINEL_PASSWORD: redis.optional(value.text, {
    secret: true,
    unset: 'no password',
    meaning: 'Password of the Sentinels.',
  }),
  REDIS_TLS: redis.optional(value.trueOrFalse, {
    unset: 'not encrypted',
    meaning:
      '`true` encrypts connections to a cluster, or to Sentinels and their master. With `REDIS_URL`, use `rediss://`.',
  }),
  REDIS_WAIT_REPLICAS: redis.optional(value.wholeNumber(0, 10), {
    unset: '1 with Sentinel and with a cluster, 0 with `REDIS_URL`',
    meaning:
      'Number of replicas that must confirm a write before a job is accepted and before any call to TikTok that cannot be undone. With 0, a failover may lose or repeat posts. Use the same value for producers and workers.',
  }),
  REDIS_TLS_CA_FILE: redis.optional(value.text, {
    unset: 'the CAs built into Node.js and those in `NODE_EXTRA_CA_CERTS`',
    meaning:
      'PEM file with the CA certificates to trust on encrypted connections to Redis, and only on those. For a Redis with a self-signed certificate or a private CA.',
  }),
  REDIS_TLS_CERT_FILE: redis.optional(value.text, {
    unset: 'no client certificate',
    meaning: 'PEM file with the client certificate for Redis. Requires `REDIS_TLS_KEY_FILE`.',
  }),
  REDIS_TLS_KEY_FILE: redis.optional(value.text, {
    unset: 'no client certificate',
    meaning: 'PEM file with the private key of `REDIS_TLS_CERT_FILE`, without a passphrase.',
  }),
  REDIS_TLS_INSECURE: redis.optional(value.trueOrFalse, {
    unset: 'the certificate of Redis is checked',
    meaning:
      '`true` accepts any certificate from Redis: the connection is encrypted, but an attacker on the network can read and change all data. Use it only temporarily or on a trusted network. The correct solution is `REDIS_TLS_CA_FILE`.',
  }),
  REDIS_DEAD_PEER_MS: redis.withDefault(value.wholeNumber(1_000, 60_000), '15000', {
    meaning:
      'Milliseconds without a response from Redis after which a connection is considered dead and is reopened. At least 12000 for processes that run workers or follow events, because Redis does not respond while they wait for jobs or events.',
  }),
  REDIS_START_WAIT_MS: redis.withDefault(value.wholeNumber(0, 3_600_000), '60000', {
    meaning:
      'Milliseconds that `start`, `worker`, `server` and `createWorkers` wait at startup for a Redis that is not running yet, is still loading, or is in a failover. 0: do not wait. With a wrong password or a missing permission they stop immediately.',
  }),
} as const;
