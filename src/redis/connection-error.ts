import type { RedisTarget } from '../config/redis-config.ts';
import { type RedisCode, redisCodeOf } from '../core/redis-code.ts';
import { redisRefusalOf } from '../core/redis-trouble.ts';
import { isErrno } from '../core/system-error.ts';
import { HOW_TO_GET_REDIS, type RedisUnavailableCause, RedisUnavailableError } from './redis-unavailable.ts';

/** What a person may change about a target. */
interface Settings {
  readonly where: string;
  readonly login: string;
  readonly tls: string;
}

interface Explanation {
  readonly why: RedisUnavailableCause;
  readonly what: string;
  readonly advice: (settings: Settings) => string;
}

const COMES_BACK = 'Nothing to do here: the connection is reopened automatically afterwards.';

/** What Redis itself says; `what` comes from the code. */
const BY_CODE: Partial<Record<RedisCode, Omit<Explanation, 'what'>>> = {
  WRONGPASS: { why: 'wrong_password', advice: ({ login }) => `Correct the user name and password in ${login}.` },
  NOAUTH: { why: 'password_required', advice: ({ login }) => `Add the password to ${login}.` },
  NOPERM: {
    why: 'permission',
    advice: () => 'Grant the user the permissions listed in docs/deployment.md under "The least a Redis user may do".',
  },
  LOADING: { why: 'loading', advice: () => `Wait until Redis has loaded its data. ${COMES_BACK}` },
  READONLY: {
    why: 'read_only',
    advice: ({ where }) =>
      `If no failover is in progress, set ${where} to the master, or set REDIS_SENTINELS to find it. ${COMES_BACK}`,
  },
  UNBLOCKED: { why: 'read_only', advice: () => `A failover is in progress. ${COMES_BACK}` },
  MASTERDOWN: {
    why: 'read_only',
    advice: ({ where }) => `If no failover is in progress, set ${where} to the master. ${COMES_BACK}`,
  },
  CLUSTERDOWN: { why: 'cluster_down', advice: () => `Check CLUSTER INFO and CLUSTER NODES. ${COMES_BACK}` },
  TRYAGAIN: { why: 'cluster_down', advice: () => COMES_BACK },
  NOREPLICAS: { why: 'no_replicas', advice: () => `Check INFO replication on the master. ${COMES_BACK}` },
  OOM: {
    why: 'full',
    advice: () => 'Raise `maxmemory` of Redis, or keep finished jobs for fewer days with RETENTION_DAYS.',
  },
  MISCONF: { why: 'disk', advice: () => 'Check the Redis log and the free space of its folder.' },
  MAXCLIENTS: {
    why: 'too_many_clients',
    advice: () =>
      'Raise `maxclients` of Redis, or run fewer processes. docs/deployment.md lists the connections of each process.',
  },
};

interface TextExplanation extends Explanation {
  readonly matches: (error: Error, text: string) => boolean;
  /** Where Redis must be for it; anywhere unless named. */
  readonly only?: RedisTarget['kind'];
}

const REFUSED = /ECONNREFUSED|slots cache\. Connection is closed/;

function isRefused(error: Error, text: string): boolean {
  const [, bySentinels] = text.split('sentinels are unreachable', 2);
  const isRefusedBySentinels = bySentinels?.includes('Connection is closed') === true;
  return isErrno(error, 'ECONNREFUSED') || isRefusedBySentinels || REFUSED.test(text);
}

const BY_TEXT: readonly TextExplanation[] = [
  {
    why: 'not_redis',
    what: 'the server there is not the expected kind of Redis',
    advice: ({ where }) =>
      `Check host and port in ${where}, and whether a single Redis, a cluster or Sentinels are running there.`,
    matches: (_, text) => /Unknown RESP type|Protocol error|cluster support disabled|unknown command/i.test(text),
  },
  {
    why: 'not_redis',
    what: 'it is a node of a Redis Cluster, and another node has our keys',
    advice: ({ where }) => `Set REDIS_CLUSTER_NODES to this address instead of ${where}.`,
    matches: (error) => redisCodeOf(error) === 'MOVED',
    only: 'url',
  },
  {
    why: 'unknown_host',
    what: 'its host name cannot be resolved',
    advice: ({ where }) => `Check the host name in ${where} and the DNS of this machine.`,
    matches: (error, text) => isErrno(error, 'ENOTFOUND', 'EAI_AGAIN') || /ENOTFOUND|EAI_AGAIN/.test(text),
  },
  {
    why: 'tls',
    what: 'its certificate is not trusted',
    advice: () =>
      'Set REDIS_TLS_CA_FILE to the CA certificate (for a self-signed certificate: the certificate itself), and use a host name that the certificate contains.',
    matches: (error, text) =>
      isErrno(error, 'CERT_HAS_EXPIRED', 'ERR_TLS_CERT_ALTNAME_INVALID', 'CERT_NOT_YET_VALID', 'CERT_UNTRUSTED') ||
      /self[- ]signed certificate|unable to (?:verify|get)[a-z ]{0,40} certificate|certificate has expired|does not match certificate/i.test(
        text,
      ),
  },
  {
    why: 'tls',
    what: 'it requires a trusted client certificate',
    advice: () => 'Set REDIS_TLS_CERT_FILE to the certificate and REDIS_TLS_KEY_FILE to its key.',
    matches: (_, text) =>
      /certificate required|alert (?:bad|unknown|unsupported) (?:certificate|ca)|alert number (?:42|48|116)/i.test(
        text,
      ),
  },
  {
    why: 'tls',
    what: 'the TLS connection could not be established',
    advice: ({ tls }) => `Check in ${tls} whether the server uses TLS.`,
    matches: (error, text) => isErrno(error, 'EPROTO') || /wrong version number|packet length too long/i.test(text),
  },
  {
    why: 'no_master',
    what: 'the master reported by the sentinels does not respond',
    advice: () =>
      `A failover may be in progress: try again. If the error persists, check SENTINEL MASTERS and start Redis. ${COMES_BACK}`,
    matches: (error, text) => isRefused(error, text) && !text.includes('sentinels are unreachable'),
    only: 'sentinel',
  },
  {
    why: 'refused',
    what: 'no sentinel responds',
    advice: ({ where }) => `Start the sentinels or correct ${where}. ${COMES_BACK}`,
    matches: isRefused,
    only: 'sentinel',
  },
  {
    why: 'refused',
    what: 'no cluster node responds',
    advice: ({ where }) => `Start the nodes or correct ${where}. ${COMES_BACK}`,
    matches: isRefused,
    only: 'cluster',
  },
  {
    why: 'refused',
    what: 'connection refused, no server is listening there',
    advice: ({ where }) => `Start Redis there or correct ${where}. ${HOW_TO_GET_REDIS}`,
    matches: isRefused,
  },
  {
    why: 'timeout',
    what: 'it did not respond in time',
    advice: ({ where, tls }) =>
      `Check that ${where} is correct, that no firewall blocks the connection, and in ${tls} that TLS is used only if the server uses TLS.`,
    matches: (error, text) =>
      isErrno(error, 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH') || /timed? ?out|timeout|Socket timeout/i.test(text),
  },
  {
    why: 'no_master',
    what: 'the Sentinels report no reachable master',
    advice: () => `If no failover is in progress, check REDIS_SENTINEL_NAME and SENTINEL MASTERS. ${COMES_BACK}`,
    matches: (_, text) => text.includes('All sentinels are unreachable'),
  },
  {
    why: 'connection_lost',
    what: 'the connection was lost',
    advice: ({ tls }) =>
      `Check that Redis is running, its \`maxclients\`, and in ${tls} whether it uses TLS. The connection is reopened automatically when Redis is back.`,
    matches: (error, text) =>
      isErrno(error, 'ECONNRESET', 'EPIPE') ||
      error.name === 'MaxRetriesPerRequestError' ||
      /Connection is closed|before secure TLS connection|isn't writeable|None of startup nodes|Failed to refresh slots|Cluster isn't ready/.test(
        text,
      ),
  },
];

/**
 * Explains a failed connection or command: what is wrong with Redis, which setting to look at, never a password.
 * Undefined if `error` is about the command rather than about reaching Redis.
 */
export function explainRedisError(error: unknown, target: RedisTarget): RedisUnavailableError | undefined {
  if (error instanceof RedisUnavailableError) return error;
  if (!(error instanceof Error)) return undefined;
  const found = explanationOf(error, target);
  if (!found) return undefined;
  const { setting, address } = describeTarget(target);
  return new RedisUnavailableError(found.why, `cannot use Redis at ${address} (${setting}): ${found.what}`, {
    advice: found.advice(settingsOf(target)),
    cause: error,
  });
}

function explanationOf(error: Error, { kind }: RedisTarget): Explanation | undefined {
  const code = redisCodeOf(error);
  const byCode = code === undefined ? undefined : BY_CODE[code];
  if (byCode !== undefined) return { ...byCode, what: redisRefusalOf(error) ?? error.message };
  const text = errorTexts(error).join(' ');
  return BY_TEXT.find(({ only = kind, matches }) => only === kind && matches(error, text));
}

/** A cluster hides the reason in the error of the last node that it tried. */
function errorTexts(error: Error): string[] {
  const inner = 'lastNodeError' in error ? error.lastNodeError : undefined;
  return [error.message, ...(inner instanceof Error ? errorTexts(inner) : [])];
}

function settingsOf(target: RedisTarget): Settings {
  const { setting: where } = describeTarget(target);
  if (target.kind === 'url') {
    return {
      where,
      login: 'REDIS_URL: redis://user:password@host:port, percent-encoded',
      tls: 'REDIS_URL (rediss:// or redis://)',
    };
  }
  const login = 'REDIS_USERNAME and REDIS_PASSWORD';
  if (target.kind === 'cluster') return { where, login, tls: 'REDIS_TLS' };
  return { where, login: `${login}, or for the Sentinels REDIS_SENTINEL_PASSWORD`, tls: 'REDIS_TLS' };
}

/** Where Redis is, human-readable, without user name and password. */
export function describeTarget(target: RedisTarget): { setting: string; address: string } {
  if (target.kind === 'url') {
    const { protocol, host, pathname } = new URL(target.url);
    const setting = target.own === undefined ? 'REDIS_URL' : `DATA_DIR=${target.own.dataDir}`;
    return { setting, address: `${protocol}//${host}${pathname}` };
  }
  const list = target.nodes.map(({ host, port }) => `${host}:${port}`).join(',');
  if (target.kind === 'cluster') return { setting: 'REDIS_CLUSTER_NODES', address: list };
  return { setting: 'REDIS_SENTINELS', address: `${target.name} of ${list}` };
}
