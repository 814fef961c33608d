import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Stands between a client and a Redis, and does what networks and other versions of Redis do. */
export interface RedisProxy {
  readonly port: number;
  readonly url: string;
  /** From now on no byte passes, in either direction, and nothing is closed; new connections are accepted. */
  freeze(): void;
  /** Passes bytes again for new connections; the frozen ones stay so. */
  thaw(): void;
  /** Answers itself, with this line, what `matches`; undefined passes everything on. */
  answer(reply: ((sent: string) => string | undefined) | undefined): void;
  /** Connections so far. */
  connections(): number;
  close(): Promise<void>;
}

/** Starts a proxy in front of the Redis on a loopback port. */
export async function startRedisProxy(redisPort: number): Promise<RedisProxy> {
  const sockets = new Set<Socket>();
  let isFrozen = false;
  let count = 0;
  let answerTo: ((sent: string) => string | undefined) | undefined;
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  };

  const server = createServer((client) => {
    count += 1;
    keep(client);
    if (isFrozen) {
      client.pause();
      return;
    }
    const redis = connect(redisPort, '127.0.0.1');
    keep(redis);
    client.on('data', (bytes) => {
      if (isFrozen) return;
      const reply = answerTo?.(bytes.toString('latin1'));
      if (reply === undefined) redis.write(bytes);
      else client.write(`${reply}\r\n`);
    });
    redis.on('data', (bytes) => {
      if (!isFrozen) client.write(bytes);
    });
    client.on('close', () => redis.destroy());
    redis.on('close', () => {
      if (!isFrozen) client.destroy();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    freeze: () => {
      isFrozen = true;
      // What was connected stays dead after a thaw, as after a lost route.
      for (const socket of sockets) socket.pause();
    },
    thaw: () => {
      isFrozen = false;
    },
    answer: (reply) => {
      answerTo = reply;
    },
    connections: () => count,
    close: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}
