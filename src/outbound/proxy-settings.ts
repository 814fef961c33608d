/** The proxies through which a network is left: `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`. */
export interface ProxySettings {
  readonly https: string | undefined;
  readonly http: string | undefined;
  /** Hosts and, as CIDR, networks that are reached directly, with commas between. */
  readonly except: string | undefined;
}
