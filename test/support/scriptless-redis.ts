import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { testRedisUrl, testRedisUrlAt } from './redis.ts';

/** A Redis that takes connections and answers commands, but never a script. @returns its URL */
export async function startScriptlessRedis(): Promise<string> {
  const real = new URL(testRedisUrl());
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const redis = connect(Number(real.port), real.hostname);
    for (const socket of [client, redis]) {
      sockets.add(socket.on('error', () => undefined).on('close', () => sockets.delete(socket)));
    }
    redis.pipe(client);
    client.on('data', (bytes) => {
      if (/\beval(sha)?\b/i.test(bytes.toString('latin1'))) client.pause();
      else redis.write(bytes);
    });
    client.on('close', () => redis.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.close();
    for (const socket of sockets) socket.destroy();
    await once(server, 'close');
  });
  return testRedisUrlAt((server.address() as AddressInfo).port);
}
