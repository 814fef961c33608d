import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** A network path to Redis that can be cut while both ends live. */
export interface RedisLink {
  readonly url: string;
  /**
   * `refused`: connections break and new ones are not taken. `silent`: nothing passes any more, and nobody is told.
   */
  cut(kind: 'refused' | 'silent'): void;
  heal(): void;
  close(): Promise<void>;
}

/** Opens a path of its own to the Redis at a URL. */
export async function openRedisLink(redisUrl: string): Promise<RedisLink> {
  const { hostname, port } = new URL(redisUrl);
  const sockets = new Set<Socket>();
  let isCut: 'refused' | 'silent' | undefined;
  const server = createServer((near) => {
    if (isCut === 'refused') {
      near.destroy();
      return;
    }
    const far = connect(Number(port), hostname);
    near.pipe(far);
    far.pipe(near);
    for (const socket of [near, far]) {
      sockets.add(socket);
      if (isCut === 'silent') socket.pause();
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('expected a TCP address');
  return {
    url: `redis://127.0.0.1:${address.port}`,
    cut(kind) {
      isCut = kind;
      for (const socket of sockets) {
        if (kind === 'silent') socket.pause();
        else socket.destroy();
      }
    },
    heal() {
      isCut = undefined;
      for (const socket of sockets) socket.resume();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
