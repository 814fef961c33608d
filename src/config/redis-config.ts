export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** How to log in where no URL says it: clusters and sentinels. */
export interface RedisLogin {
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly tls: boolean;
}

/** PEM files for encrypted connections to Redis, and for them alone. */
export interface RedisTlsFiles {
  /** Whom to trust instead of the public authorities. */
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  /** Encrypts, but takes any server for the right one. */
  readonly insecure?: boolean | undefined;
}

/** What holds for every connection, wherever Redis is. */
interface ConnectionSettings {
  /** Without an answer for this long (ms), a connection is taken for dead; 15 s by default. */
  readonly deadPeerMs?: number;
  readonly tls?: RedisTlsFiles;
}

/** A Redis that a process of ours runs in a data folder. */
interface OwnRedis {
  readonly dataDir: string;
  /**
   * How it is reached now, which changes if its port was taken when it was started again, or its folder was removed;
   * undefined while it does not run.
   */
  readonly login: () => { readonly port: number; readonly password?: string | undefined } | undefined;
}

export type RedisTarget = ConnectionSettings &
  (
    | { readonly kind: 'url'; readonly url: string; readonly own?: OwnRedis }
    | { readonly kind: 'cluster'; readonly nodes: readonly HostAndPort[]; readonly login: RedisLogin }
    | {
        readonly kind: 'sentinel';
        readonly nodes: readonly HostAndPort[];
        /** The name under which the sentinels watch the master. */
        readonly name: string;
        readonly login: RedisLogin;
        readonly sentinelPassword: string | undefined;
      }
  );

/** Which Redis to use; `embedded` is one of ours in the data folder. */
export type RedisConfig = RedisTarget | ({ readonly kind: 'embedded' } & ConnectionSettings);
