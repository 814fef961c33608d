/** The part of the package that we use. */
declare module 'js-redis-server/core' {
  import type { Server } from 'node:net';

  export class RedisServerState {
    constructor(options: { databaseCount: number; requirepass: string });
  }
  export function createRedisCommandExecutor(): unknown;
  export class Resp2Server {
    constructor(options: { server: RedisServerState; executor: unknown });
    readonly server: Server;
    getPort(): number;
    close(): Promise<void>;
  }
}
