/** One node to start from. */
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

/** A Redis that can be connected to. */
export type RedisTarget =
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'cluster'; readonly nodes: readonly HostAndPort[]; readonly login: RedisLogin }
  | {
      readonly kind: 'sentinel';
      readonly nodes: readonly HostAndPort[];
      /** The name under which the sentinels watch the master. */
      readonly name: string;
      readonly login: RedisLogin;
      readonly sentinelPassword: string | undefined;
    };

/** Which Redis to use; `embedded` is started by us in the data folder. */
export type RedisConfig = RedisTarget | { readonly kind: 'embedded' };
