/** The part of the optional dependency that we use; it is not installed on every Node version. */
declare module 'js-redis-server' {
  export function createRedisServer(options: {
    host?: string;
    port?: number;
  }): Promise<{ host: string; port: number; close(): Promise<void> }>;
}
