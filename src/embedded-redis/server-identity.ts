import { SECOND_MS } from '../core/units.ts';
import { closeRedis, connectRedis } from '../redis/connections.ts';
import type { RedisClient } from '../redis/lua-script.ts';
import { parseInfo } from '../redis/server-facts.ts';

/** Which Redis answers on a port: its process id and the random id that each start of it makes anew. */
export interface ServerIdentity {
  readonly pid: number;
  readonly runId: string;
}

/**
 * Asks the Redis on loopback `port` who it is; undefined if none answers, it is still loading, or it is no Redis.
 * One connection, one attempt.
 */
export async function askServerIdentity(port: number): Promise<ServerIdentity | undefined> {
  const target = { kind: 'url', url: `redis://127.0.0.1:${port}` } as const;
  let client: RedisClient | undefined;
  try {
    client = await connectRedis(target, 'probe', { timeoutMs: SECOND_MS });
    await client.ping();
    return parseIdentity(await client.info('server'));
  } catch {
    return undefined;
  } finally {
    if (client) await closeRedis(client);
  }
}

function parseIdentity(info: string): ServerIdentity | undefined {
  const field = parseInfo(info);
  const [pid, runId] = [Number(field('process_id')), field('run_id')];
  return pid > 0 && runId !== '' ? { pid, runId } : undefined;
}
