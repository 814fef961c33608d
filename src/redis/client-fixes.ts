/* What clients of ioredis would do wrong by themselves. */
import type { Redis } from 'ioredis';
import type { RedisTarget } from '../config/redis-config.ts';

/**
 * A client that is told to connect anew while it asks Sentinels for the master would be given up by ioredis, and nobody
 * would ever connect it again. It is on its way already.
 */
export function letConnect(client: Redis): void {
  const disconnect = client.disconnect.bind(client);
  client.disconnect = (reconnect = false) => {
    if (!reconnect || client.status !== 'connecting') disconnect(reconnect);
  };
}

/** A frozen server's system still accepts connections for it: such a one is left soon, since another may serve by now. */
export function hangUpOnSilence(client: Redis, withinMs: number): void {
  client.on('connect', () => {
    // Each call that a replaced master refuses has ioredis listen for the end of its connection.
    const stream = client.stream.setMaxListeners(0);
    const reason = 'Socket timeout. The server accepted the connection but does not respond.';
    const timer = setTimeout(() => stream.destroy(new Error(reason)), withinMs);
    stream.once('data', () => clearTimeout(timer)).once('close', () => clearTimeout(timer));
  });
}

/** A cluster's client sends ASKING before a command and looks at the command's answer alone: unhandled, it ends the process. */
export function handleAsking(node: Redis): void {
  const asking = node.asking.bind(node);
  node.asking = () => {
    const asked = asking();
    asked.catch(() => undefined);
    return asked;
  };
}

/** A Redis of ours that was started again may be on another port, and have another password. */
export function followOwn(client: Redis, target: RedisTarget): void {
  const own = target.kind === 'url' ? target.own : undefined;
  if (own === undefined) return;
  const follow = () => {
    const login = own.login();
    if (login === undefined) return;
    client.options.port = login.port;
    if (login.password !== undefined) client.options.password = login.password;
  };
  follow();
  client.on('reconnecting', follow);
}
