import { Redis } from 'ioredis';
import { SECOND_MS } from '../core/units.ts';

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
  const client = new Redis({
    host: '127.0.0.1',
    port,
    lazyConnect: true,
    enableReadyCheck: false,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    connectTimeout: SECOND_MS,
    commandTimeout: SECOND_MS,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.ping();
    return parseIdentity(await client.info('server'));
  } catch {
    return undefined;
  } finally {
    client.disconnect();
  }
}

function parseIdentity(info: string): ServerIdentity | undefined {
  const pid = Number(/^process_id:(\d+)/m.exec(info)?.[1]);
  const runId = /^run_id:(\w+)/m.exec(info)?.[1];
  return Number.isInteger(pid) && runId !== undefined ? { pid, runId } : undefined;
}
