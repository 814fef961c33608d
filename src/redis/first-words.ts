import { once } from 'node:events';
import { connect } from 'node:net';
import type { RedisTarget } from '../config/redis-config.ts';
import { SECOND_MS } from '../core/units.ts';

const DEFAULT_PORT = 6_379;
const PATIENCE_MS = SECOND_MS / 2;

/**
 * What a Redis says unasked and hangs up: with `maxclients` reached it does so before it reads, and whoever writes to it
 * may lose those words with the connection. Undefined where it says nothing, or is reached in another way.
 */
export async function firstWordsOf(target: RedisTarget): Promise<Error | undefined> {
  if (target.kind !== 'url') return undefined;
  const { protocol, hostname, port } = new URL(target.url);
  if (protocol !== 'redis:') return undefined;
  const socket = connect(Number(port || DEFAULT_PORT), hostname.replace(/[[\]]/g, ''));
  try {
    const [bytes] = await once(socket, 'data', { signal: AbortSignal.timeout(PATIENCE_MS) });
    return new Error(String(bytes).replace(/^-/, '').trim());
  } catch {
    return undefined;
  } finally {
    socket.on('error', () => undefined).destroy();
  }
}
