import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { RedisTarget } from '../config/redis-config.ts';
import { type RedisCode, redisCodeOf } from '../core/redis-code.ts';
import { createKeys } from './keys.ts';
import type { RedisClient } from './lua-script.ts';
import type { NeededCommands } from './needed-commands.ts';

/** What a Redis user may not do although it is needed. */
export interface MissingPermissions {
  readonly commands: readonly string[];
  /** Whether our own keys are among what is forbidden. */
  readonly keys: boolean;
  /** What Redis says where it takes no writes at all now. */
  readonly writesRefused?: Error;
}

/** Tries each command on KEYS[1], and answers with those that failed, each followed by what Redis said. */
const TRY_COMMANDS = `
local failed = {}
for _, probe in ipairs(cjson.decode(ARGV[1])) do
  local reply = redis.pcall(unpack(probe))
  if type(reply) == 'table' and reply.err then
    failed[#failed + 1] = probe[1]
    failed[#failed + 1] = reply.err
  end
end
return failed
`;

/** Codes of a server that takes no writes now. */
const REFUSES_WRITES: readonly RedisCode[] = [
  'READONLY',
  'MASTERDOWN',
  'LOADING',
  'CLUSTERDOWN',
  'TRYAGAIN',
  'MOVED',
  'NOREPLICAS',
  'OOM',
  'MISCONF',
];

/**
 * Tries what a process needs, without leaving anything behind.
 * @throws Error when Redis does not answer
 */
export async function findMissingPermissions(
  redis: RedisClient,
  prefix: string,
  { probes, direct }: NeededCommands,
): Promise<MissingPermissions> {
  const key = createKeys(prefix).probe(randomUUID());
  const inScript = await tryInScript(redis, key, probes);
  const unwritable = inScript.find(({ error }) => REFUSES_WRITES.some((code) => code === redisCodeOf(error)));
  // There the connection would be given up, to look for the master.
  const refusals = unwritable ? inScript : [...inScript, ...(await tryDirectly(redis, key, direct))];
  const forbidden = refusals.filter(({ error }) => redisCodeOf(error) === 'NOPERM');
  const aboutKeys = forbidden.filter(({ error }) => /access/.test(error.message));
  return {
    keys: aboutKeys.length > 0,
    commands: forbidden.filter((refusal) => !aboutKeys.includes(refusal)).map(({ command }) => command),
    ...(unwritable && { writesRefused: unwritable.error }),
  };
}

interface Refusal {
  readonly command: string;
  readonly error: Error;
}

async function tryInScript(redis: RedisClient, key: string, probes: NeededCommands['probes']): Promise<Refusal[]> {
  const calls = Object.entries(probes).map(([name, args]) => [name, ...args.map((arg) => (arg === 'KEY' ? key : arg))]);
  const answer = await redis.eval(TRY_COMMANDS, 1, key, JSON.stringify(calls)).catch(orRefusal);
  if (answer instanceof Error) return [{ command: 'eval', error: answer }];
  const texts = Array.isArray(answer) ? answer.map(String) : [];
  return texts.flatMap((command, index) =>
    index % 2 === 0 ? [{ command, error: new Error(texts[index + 1] ?? '') }] : [],
  );
}

async function tryDirectly(redis: RedisClient, key: string, direct: readonly string[]): Promise<Refusal[]> {
  const tries: Readonly<Record<string, () => Promise<unknown>>> = {
    evalsha: () => redis.evalsha('0'.repeat(40), 1, key),
    info: () => redis.info('server'),
    ping: () => redis.ping(),
    multi: () => redis.multi().exists(key).exec().catch(orFirstOfTransaction),
    // Without a transaction it fails in any case, but forbidden in other words.
    exec: () => redis.call('EXEC'),
    wait: () => redis.wait(0, 0),
    bzpopmin: () => redis.bzpopmin(key, 0.01),
  };
  const refusals: Refusal[] = [];
  for (const command of direct) {
    const error = await tries[command]?.().then(() => undefined, orRefusal);
    if (error !== undefined) refusals.push({ command, error });
  }
  return refusals;
}

/** ioredis says that the end of the transaction failed, and keeps why with the error. */
function orFirstOfTransaction(error: unknown): never {
  const [first] =
    error instanceof Error && 'previousErrors' in error ? z.array(z.instanceof(Error)).parse(error.previousErrors) : [];
  throw first ?? error;
}

/** What Redis answered; no answer says nothing about permissions. */
function orRefusal(error: unknown): Error {
  if (error instanceof Error && (error.name === 'ReplyError' || redisCodeOf(error) !== undefined)) return error;
  throw error;
}

/** What is missing, and the ACL rules that give it, human-readable; undefined where nothing is. */
export function describeMissing(
  { commands, keys }: MissingPermissions,
  target: RedisTarget,
  prefix: string,
): { readonly what: string; readonly fix: string } | undefined {
  if (commands.length === 0 && !keys) return undefined;
  const user = userOf(target);
  const { pattern } = createKeys(prefix);
  const forbidden = [
    ...(commands.length > 0 ? [`run ${commands.map((name) => name.toUpperCase()).join(', ')}`] : []),
    ...(keys ? [`use the keys ${pattern}`] : []),
  ];
  const rules = [...(keys ? [`~${pattern}`] : []), ...commands.map((name) => `+${name}`)];
  return {
    what: `its user "${user}" is not allowed to ${forbidden.join(' or to ')}`,
    fix: `Ask a Redis administrator to run: ACL SETUSER ${user} ${rules.join(' ')}. docs/deployment.md has the complete list.`,
  };
}

function userOf(target: RedisTarget): string {
  const name = target.kind === 'url' ? decodeURIComponent(new URL(target.url).username) : target.login.username;
  return name || 'default';
}
