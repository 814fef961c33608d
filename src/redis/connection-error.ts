import type { RedisTarget } from '../config/redis-config.ts';
import { isErrno } from '../core/system-error.ts';
import { HOW_TO_GET_REDIS, type RedisUnavailableCause, RedisUnavailableError } from './redis-unavailable.ts';

interface Explanation {
  readonly why: RedisUnavailableCause;
  readonly what: string;
  readonly advice: (setting: string) => string;
}

const EXPLANATIONS: readonly (Explanation & { readonly matches: (error: Error, text: string) => boolean })[] = [
  {
    why: 'wrong_password',
    what: 'it refused the user name or password',
    advice: (setting) => `Correct the user name and password in ${setting}.`,
    matches: (_, text) => /WRONGPASS|invalid password/i.test(text),
  },
  {
    why: 'password_required',
    what: 'it requires a password and none was given',
    advice: (setting) => `Add the password to ${setting}: redis://:password@host:port.`,
    matches: (_, text) => text.includes('NOAUTH'),
  },
  {
    why: 'not_redis',
    what: 'something else than the expected kind of Redis answers there',
    advice: (setting) =>
      `Check host and port in ${setting}, and whether a single Redis, a cluster or sentinels run there.`,
    matches: (_, text) => /Unknown RESP type|Protocol error|cluster support disabled|unknown command/i.test(text),
  },
  {
    why: 'unknown_host',
    what: 'its host name is unknown',
    advice: (setting) => `Check the host name in ${setting}, and that this machine can resolve it.`,
    matches: (error, text) => isErrno(error, 'ENOTFOUND', 'EAI_AGAIN') || /ENOTFOUND|EAI_AGAIN/.test(text),
  },
  {
    why: 'refused',
    what: 'nothing listens there',
    advice: (setting) => `Start Redis there or correct ${setting}. ${HOW_TO_GET_REDIS}`,
    matches: (error, text) =>
      isErrno(error, 'ECONNREFUSED') ||
      /ECONNREFUSED|sentinels are unreachable|slots cache\. Connection is closed/.test(text),
  },
  {
    why: 'tls',
    what: 'the encrypted connection could not be set up',
    advice: (setting) =>
      `Check in ${setting} whether the server speaks TLS (rediss://) or not (redis://), and its certificate.`,
    matches: (error, text) =>
      isErrno(error, 'EPROTO', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN', 'CERT_HAS_EXPIRED') ||
      isErrno(error, 'ERR_TLS_CERT_ALTNAME_INVALID', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE') ||
      text.includes('wrong version number'),
  },
  {
    why: 'timeout',
    what: 'it did not answer in time',
    advice: (setting) =>
      `Check that ${setting} is right, that no firewall is in between, and that rediss:// is used only if the server speaks TLS.`,
    matches: (error, text) =>
      isErrno(error, 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH') || /timed? ?out|Socket timeout/i.test(text),
  },
  {
    why: 'connection_lost',
    what: 'the connection is gone',
    advice: (setting) =>
      `Check that Redis is running; if it only speaks TLS, ${setting} needs rediss://. The connection comes back by itself when Redis does.`,
    matches: (error, text) =>
      isErrno(error, 'ECONNRESET', 'EPIPE') ||
      error.name === 'MaxRetriesPerRequestError' ||
      /Connection is closed|isn't writeable|None of startup nodes|Failed to refresh slots/.test(text),
  },
];

/**
 * Explains a failed connection or command: what is wrong with Redis, which setting to look at, never a password.
 * Undefined if `error` is about the command rather than about reaching Redis.
 */
export function explainRedisError(error: unknown, target: RedisTarget): RedisUnavailableError | undefined {
  if (error instanceof RedisUnavailableError) return error;
  if (!(error instanceof Error)) return undefined;
  const text = errorTexts(error).join(' ');
  const found = EXPLANATIONS.find((explanation) => explanation.matches(error, text));
  if (!found) return undefined;
  const { setting, address } = describeTarget(target);
  return new RedisUnavailableError(found.why, `no Redis at ${address} (${setting}): ${found.what}`, {
    advice: found.advice(setting),
    cause: error,
  });
}

/** A cluster hides the reason in the error of the last node that it tried. */
function errorTexts(error: Error): string[] {
  const inner = 'lastNodeError' in error ? error.lastNodeError : undefined;
  return [error.message, ...(inner instanceof Error ? errorTexts(inner) : [])];
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
