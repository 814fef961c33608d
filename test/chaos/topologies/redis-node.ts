import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { cacheDirFrom } from '../../../src/config/load-config.ts';
import { findRedisProgram } from '../../../src/embedded-redis/redis-binary.ts';
import { eventually } from '../../support/eventually.ts';
import { quietPort } from '../../support/redis-proxy/quiet-port.ts';
import { openProxy, type RedisProxy } from '../../support/redis-proxy/redis-proxy.ts';
import type { ServerProgram } from '../../support/redis-server.ts';

interface RedisNodeOptions {
  /** Its files and its log go here. */
  readonly folder: string;
  readonly isSentinel?: boolean;
  /** By default the Redis that the product finds. */
  readonly program?: ServerProgram | undefined;
  /** Gives it a cluster bus, behind a proxy as well. */
  readonly hasBus?: boolean;
  /** Lines of its configuration beyond the product's own; told the ports under which it must be known. */
  readonly config?: (ports: { readonly proxy: number; readonly bus: number; readonly busProxy: number }) => string[];
}

/** As the product starts its own. */
const OWN_CONFIG = [
  'save ""',
  'appendonly yes',
  'appendfsync everysec',
  'hz 100',
  'maxmemory-policy noeviction',
  'repl-diskless-sync-delay 0',
];

/**
 * As in src/embedded-redis/redis-process.ts: Redis itself, and beside it a watcher that kills it once our end of a pipe is
 * closed, however we died; a word on the pipe says that it has ended already. SIGKILL, since it may be frozen.
 */
const LAUNCH = `
exec 3<&0 </dev/null
redis=$$
( ( read -r word <&3; [ -n "$word" ] || kill -KILL "$redis" ) >/dev/null 2>&1 & )
exec 3<&-
[ -z "$1" ] || export LD_LIBRARY_PATH="$1"
shift
exec "$@"
`;

/** A Redis (or a Sentinel) that comes back at the same address with the same files, and the proxy in front of it. */
export class RedisNode {
  readonly proxy: RedisProxy;
  /** Behind which its cluster bus is. */
  readonly busProxy: RedisProxy | undefined;
  readonly folder: string;
  /** A connection of ours, past all proxies; what it asks fails after a second. */
  readonly admin: Redis;
  readonly #command: readonly string[];
  readonly #libraryPath: string | undefined;
  #child: ChildProcess | undefined;
  #isFirstStart = true;

  private constructor(
    options: RedisNodeOptions,
    ways: { port: number; proxy: RedisProxy; busProxy: RedisProxy | undefined },
    program: ServerProgram,
  ) {
    this.folder = options.folder;
    this.proxy = ways.proxy;
    this.busProxy = ways.busProxy;
    const mode = options.isSentinel === true ? ['--sentinel'] : [];
    this.#command = [program.command, join(options.folder, 'redis.conf'), ...mode];
    this.#libraryPath = program.libraryPath;
    this.admin = new Redis({
      ...{ host: '127.0.0.1', port: ways.port, lazyConnect: true, enableReadyCheck: false, replyMapping: 'legacy' },
      ...{ commandTimeout: 1_000, maxRetriesPerRequest: 1, retryStrategy: () => 100 },
    });
    this.admin.on('error', () => undefined);
  }

  static async start(options: RedisNodeOptions): Promise<RedisNode> {
    const program = options.program ?? (await findRedisProgram({ cacheDir: cacheDirFrom(process.env) }));
    const port = await quietPort();
    const bus = options.hasBus === true ? await quietPort() : 0;
    const proxy = await openProxy(port);
    const busProxy = options.hasBus === true ? await openProxy(bus) : undefined;
    const lines = [
      ...[`port ${port}`, 'bind 127.0.0.1', `dir ${options.folder}`, `logfile ${options.folder}/redis.log`],
      ...(options.isSentinel === true ? [] : OWN_CONFIG),
      ...(options.config?.({ proxy: proxy.port, bus, busProxy: busProxy?.port ?? 0 }) ?? []),
    ];
    await mkdir(options.folder, { recursive: true });
    await writeFile(join(options.folder, 'redis.conf'), `${lines.join('\n')}\n`);
    const node = new RedisNode(options, { port, proxy, busProxy }, program);
    await node.start();
    return node;
  }

  /** Past the proxy. */
  get url(): string {
    return `redis://127.0.0.1:${this.admin.options.port}`;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Starts it; resolves once it answers. */
  async start(): Promise<void> {
    if (!this.#isFirstStart) await Promise.all([this.proxy.listen(), this.busProxy?.listen()]);
    this.#isFirstStart = false;
    const launch = ['-c', LAUNCH, 'redis-launch', this.#libraryPath ?? '', ...this.#command];
    const child = spawn('/bin/sh', launch, { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
    child.stdin.on('error', () => undefined);
    child.once('exit', () => child.stdin.end('ended\n'));
    this.#child = child;
    await eventually(async () => (await this.admin.ping()) === 'PONG');
  }

  /** SIGKILL: nothing is flushed by Redis itself. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined;
    this.proxy.deafen();
    this.busProxy?.deafen();
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  /** It stands still, and its connections stay open. */
  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  wake(): void {
    this.#child?.kill('SIGCONT');
  }

  async close(): Promise<void> {
    this.admin.disconnect();
    await this.kill();
    await this.proxy.close();
    await this.busProxy?.close();
  }
}
