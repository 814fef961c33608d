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

const COMES_BACK = 'Nothing has to be done here: the connection is made anew when it is over.';

/** What Redis itself says; `what` comes from the code. */
const BY_CODE: Partial<Record<RedisCode, Omit<Explanation, 'what'>>> = {
  WRONGPASS: { why: 'wrong_password', advice: ({ login }) => `Correct the user name and password in ${login}.` },
  NOAUTH: { why: 'password_required', advice: ({ login }) => `Add the password to ${login}.` },
  NOPERM: {
    why: 'permission',
    advice: () => 'Give the user what docs/deployment.md lists under "The least a Redis user may do".',
  },
  LOADING: { why: 'loading', advice: () => `Wait until Redis has read its data. ${COMES_BACK}` },
  READONLY: {
    why: 'read_only',
    advice: ({ where }) =>
      `If no failover is going on, name the master in ${where}, or let REDIS_SENTINELS find it. ${COMES_BACK}`,
  },
  UNBLOCKED: { why: 'read_only', advice: () => `A failover is going on. ${COMES_BACK}` },
  MASTERDOWN: {
    why: 'read_only',
    advice: ({ where }) => `If no failover is going on, name the master in ${where}. ${COMES_BACK}`,
  },
  CLUSTERDOWN: { why: 'cluster_down', advice: () => `Look at CLUSTER INFO and CLUSTER NODES. ${COMES_BACK}` },
  TRYAGAIN: { why: 'cluster_down', advice: () => COMES_BACK },
  NOREPLICAS: { why: 'no_replicas', advice: () => `Look at INFO replication of the master. ${COMES_BACK}` },
  OOM: {
    why: 'full',
    advice: () => 'Raise `maxmemory` of Redis, or keep finished jobs for fewer days with RETENTION_DAYS.',
  },
  MISCONF: { why: 'disk', advice: () => 'Look at the log of Redis and at the free space of its folder.' },
  MAXCLIENTS: {
    why: 'too_many_clients',
    advice: () =>
      'Raise `maxclients` of Redis, or run fewer processes: docs/deployment.md says how many connections each opens.',
  },
};

interface TextExplanation extends Explanation {
  readonly matches: (error: Error, text: string) => boolean;
  /** Where Redis must be for it; anywhere unless named. */
  readonly only?: RedisTarget['kind'];
}

const REFUSED = /ECONNREFUSED|slots cache\. Connection is closed|sentinels are unreachable.*Connection is closed/;

function isRefused(error: Error, text: string): boolean {
  return isErrno(error, 'ECONNREFUSED') || REFUSED.test(text);
}

const BY_TEXT: readonly TextExplanation[] = [
  {
    why: 'not_redis',
    what: 'something else than the expected kind of Redis answers there',
    advice: ({ where }) =>
      `Check host and port in ${where}, and whether a single Redis, a cluster or sentinels run there.`,
    matches: (_, text) => /Unknown RESP type|Protocol error|cluster support disabled|unknown command/i.test(text),
  },
  {
    why: 'unknown_host',
    what: 'its host name is unknown',
    advice: ({ where }) => `Check the host name in ${where}, and that this machine can resolve it.`,
    matches: (error, text) => isErrno(error, 'ENOTFOUND', 'EAI_AGAIN') || /ENOTFOUND|EAI_AGAIN/.test(text),
  },
  {
    why: 'tls',
    what: 'its certificate is not trusted',
    advice: () =>
      'Name the certificate of its authority in REDIS_TLS_CA_FILE (for a self-signed one: itself), and use a host name that it is made out to.',
    matches: (error, text) =>
      isErrno(error, 'CERT_HAS_EXPIRED', 'ERR_TLS_CERT_ALTNAME_INVALID', 'CERT_NOT_YET_VALID', 'CERT_UNTRUSTED') ||
      /self[- ]signed certificate|unable to (?:verify|get)[a-z ]* certificate|certificate has expired|does not match certificate/i.test(
        text,
      ),
  },
  {
    why: 'tls',
    what: 'it wants a client certificate that it trusts',
    advice: () => 'Name one in REDIS_TLS_CERT_FILE and its key in REDIS_TLS_KEY_FILE.',
    matches: (_, text) =>
      /certificate required|alert (?:bad|unknown|unsupported) (?:certificate|ca)|alert number (?:42|48|116)/i.test(
        text,
      ),
  },
  {
    why: 'tls',
    what: 'the encrypted connection could not be set up',
    advice: ({ tls }) => `Check in ${tls} whether the server speaks TLS or not.`,
    matches: (error, text) => isErrno(error, 'EPROTO') || /wrong version number|packet length too long/i.test(text),
  },
  {
    why: 'no_master',
    what: 'the master that the sentinels name does not answer',
    advice: () =>
      `A failover may be under way: try again. If that does not end, look at SENTINEL MASTERS and start Redis. ${COMES_BACK}`,
    matches: (error, text) => isRefused(error, text) && !text.includes('sentinels are unreachable'),
    only: 'sentinel',
  },
  {
    why: 'refused',
    what: 'none of the sentinels answers',
    advice: ({ where }) => `Start the sentinels or correct ${where}. ${COMES_BACK}`,
    matches: isRefused,
    only: 'sentinel',
  },
  {
    why: 'refused',
    what: 'none of its nodes answers',
    advice: ({ where }) => `Start the nodes or correct ${where}. ${COMES_BACK}`,
    matches: isRefused,
    only: 'cluster',
  },
  {
    why: 'refused',
    what: 'nothing listens there',
    advice: ({ where }) => `Start Redis there or correct ${where}. ${HOW_TO_GET_REDIS}`,
    matches: isRefused,
  },
  {
    why: 'timeout',
    what: 'it did not answer in time',
    advice: ({ where, tls }) =>
      `Check that ${where} is right, that no firewall is in between, and in ${tls} that TLS is used only if the server speaks it.`,
    matches: (error, text) =>
      isErrno(error, 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH') || /timed? ?out|timeout|Socket timeout/i.test(text),
  },
  {
    why: 'no_master',
    what: 'the Sentinels name no master that can be reached',
    advice: () => `If no failover is going on, check REDIS_SENTINEL_NAME, and look at SENTINEL MASTERS. ${COMES_BACK}`,
    matches: (_, text) => text.includes('All sentinels are unreachable'),
  },
  {
    why: 'connection_lost',
    what: 'the connection is gone',
    advice: ({ tls }) =>
      `Check that Redis is running, in ${tls} whether it speaks TLS, and its \`maxclients\`. The connection comes back by itself when Redis does.`,
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
  return new RedisUnavailableError(found.why, `no Redis at ${address} (${setting}): ${found.what}`, {
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

/** Where Redis is, for people, without user name and password. */
export function describeTarget(target: RedisTarget): { setting: string; address: string } {
  if (target.kind === 'url') {
    const { protocol, host, pathname } = new URL(target.url);
    return { setting: 'REDIS_URL', address: `${protocol}//${host}${pathname}` };
  }
  const list = target.nodes.map(({ host, port }) => `${host}:${port}`).join(',');
  if (target.kind === 'cluster') return { setting: 'REDIS_CLUSTER_NODES', address: list };
  return { setting: 'REDIS_SENTINELS', address: `${target.name} of ${list}` };
}
