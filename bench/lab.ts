import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { Redis } from 'ioredis';
import { parseInfo } from '../src/redis/server-facts.ts';
import { startRedisServer } from '../test/support/redis-server.ts';

/** A program of the bench that runs as a process of its own. */
export interface Program {
  readonly pid: number;
  /** Sends a question and resolves with its answer. */
  ask<Answer>(question: string, parameter?: unknown): Promise<Answer>;
  end(): Promise<void>;
}

/**
 * Starts a program of `bench/programs`, compiled as the bench is.
 * @param settings read there with `settingsOf`
 * @param isOwn whether it stands for a process of the product, which sets itself up in its own way
 */
export async function startProgram(
  name: string,
  settings: unknown,
  { environment, isOwn = false }: { environment?: Readonly<Record<string, string>>; isOwn?: boolean } = {},
): Promise<Program> {
  const pathOf = (program: string) => new URL(`./programs/${program}.js`, import.meta.url);
  const child = fork(pathOf(name), {
    execArgv: isOwn ? ['--import', pathOf('own-process').href] : [],
    env: { ...process.env, ...environment, BENCH_SETTINGS: JSON.stringify(settings) },
  });
  const ended = once(child, 'exit');
  let asked = 0;
  const ask = async <Answer>(question: string, parameter?: unknown): Promise<Answer> => {
    const id = ++asked;
    child.send({ id, question, parameter });
    return (await Promise.race([answerTo(child, id), failed(name, ended)])) as Answer;
  };
  await ask('ready');
  return {
    ...{ ask, pid: child.pid ?? 0 },
    async end() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** As it is installed: `npm run bench` builds it, and runs in the repository. */
const OWN_PROGRAM = 'dist/bin/tiktok-publisher.js';

/** Starts the package's own program, as people run it. */
export function startOwnProgram(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Pick<Program, 'end'> {
  const child = spawn(process.execPath, [OWN_PROGRAM, ...args], {
    ...{ env: { PATH: process.env.PATH, ...environment }, stdio: ['ignore', 'ignore', 'inherit'] },
  });
  const ended = once(child, 'exit');
  return {
    async end() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

async function answerTo(child: ChildProcess, id: number): Promise<unknown> {
  for (;;) {
    const [message] = (await once(child, 'message')) as [{ id: number; answer?: unknown; error?: string }];
    if (message.id !== id) continue;
    if (message.error !== undefined) throw new Error(message.error);
    return message.answer;
  }
}

async function failed(name: string, ended: Promise<unknown[]>): Promise<never> {
  const [code, signal] = await ended;
  throw new Error(`${name} ended: ${code ?? signal}`);
}

/** What a Redis has done so far. */
interface RedisUse {
  readonly cpuMs: number;
  /** Commands, those inside scripts too. */
  readonly commands: number;
  /** The same by name. */
  readonly byName: ReadonlyMap<string, number>;
  /** What it stores; without what clients, scripts and its log of slow calls take. */
  readonly memoryBytes: number;
}

export interface BenchRedis {
  readonly url: string;
  readonly client: Redis;
  use(): Promise<RedisUse>;
  /**
   * Counts what clients call from now on, by name; what scripts call inside is not counted.
   * @param pid counts the present connections of this process of the product alone
   */
  countCalls(pid?: number): Promise<() => Map<string, number>>;
  close(): Promise<void>;
}

/** Parts of a Redis's memory that do not grow with what it stores. */
const UNSTORED = ['mem_clients_normal', 'used_memory_scripts_eval', 'mem_aof_buffer'];

/** A Redis of its own, as the product's documentation wants it. */
export async function startRedis(): Promise<BenchRedis> {
  const server = await startRedisServer([
    ...['appendonly yes', 'appendfsync everysec', 'save ""'],
    ...['hz 100', 'hash-max-ziplist-value 1024', 'slowlog-log-slower-than -1'],
  ]);
  const url = `redis://127.0.0.1:${server.port}`;
  const client = new Redis(url);
  return {
    url,
    client,
    async use() {
      const info = await client.info('all');
      const field = parseInfo(info);
      const calls = [...info.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)];
      const byName = new Map(calls.map(([, name = '', count]) => [name, Number(count)]));
      return {
        cpuMs: (Number(field('used_cpu_user')) + Number(field('used_cpu_sys'))) * 1_000,
        commands: [...byName.values()].reduce((sum, count) => sum + count, 0),
        byName,
        memoryBytes: Number(field('used_memory')) - UNSTORED.reduce((sum, name) => sum + Number(field(name) ?? 0), 0),
      };
    },
    async countCalls(pid) {
      const counts = new Map<string, number>();
      const own = addressIn(String(await client.client('INFO')));
      const clients = String(await client.client('LIST')).split('\n');
      const counted = pid && new Set(clients.filter((line) => line.includes(`:${pid} age=`)).map(addressIn));
      const monitor = connect(server.port, '127.0.0.1');
      createInterface(monitor).on('line', (line) => {
        const [, source, name = ''] = /^\+\S+ \[\d+ (\S+)\] "([^"]+)"/.exec(line) ?? [];
        if (source === undefined || source === 'lua' || source === own) return;
        if (counted && !counted.has(source)) return;
        counts.set(name.toLowerCase(), (counts.get(name.toLowerCase()) ?? 0) + 1);
      });
      monitor.write('MONITOR\r\n');
      await once(monitor, 'data');
      return () => {
        monitor.destroy();
        return counts;
      };
    },
    async close() {
      client.disconnect();
      await server.close();
    },
  };
}

function addressIn(client: string): string | undefined {
  return /\baddr=(\S+)/.exec(client)?.[1];
}
