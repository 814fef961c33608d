import type { Redis } from 'ioredis';

/**
 * Has a client send all calls of one turn of the event loop at the turn's end, by one system call. On a busy worker that
 * is less work for both sides; on an idle one nothing waits.
 */
export function joinWrites(client: Redis): void {
  client.on('connect', () => {
    const { stream } = client;
    const write = stream.write.bind(stream) as (...written: unknown[]) => boolean;
    stream.write = (...written: unknown[]) => {
      if (stream.writableCorked === 0) {
        stream.cork();
        setImmediate(() => stream.uncork());
      }
      return write(...written);
    };
  });
}
