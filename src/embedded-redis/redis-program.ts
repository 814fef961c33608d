/** A Redis server program that this machine can run. */
export interface RedisProgram {
  /** `system`: found on the PATH. `debian-cache`: the distribution's package, unpacked into the cache folder. */
  readonly kind: 'system' | 'debian-cache';
  readonly command: string;
  /** Folder with the shared libraries that the program needs, if they are not the system's. */
  readonly libraryPath?: string;
  readonly version: string;
}

/** The version in what `redis-server --version` or `valkey-server --version` prints. */
export function parseServerVersion(printed: string): string | undefined {
  return /\bv=(\d+\.\d+\.\d+)/.exec(printed)?.[1];
}
