import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect } from 'vitest';
import { runCli } from '../../../src/cli/run-cli.ts';
import {
  type AccountTokens,
  type Simulator,
  type SimulatorOptions,
  startSimulator,
} from '../../../src/simulator/index.ts';
import { pathInRepository } from '../../support/build.ts';
import { freshPrefix, testRedisUrl } from '../../support/redis.ts';

const PROGRAM = pathInRepository('dist/bin/tiktok-publisher.js');
const running = new Set<ChildProcess>();
const simulators = new Set<Simulator>();

/** Settings for commands that should see the same jobs, and none of another test's. */
export function freshEnvironment(extra: Record<string, string> = {}): Record<string, string> {
  return {
    REDIS_URL: testRedisUrl(),
    QUEUE_PREFIX: freshPrefix(),
    ENCRYPTION_KEYS: randomBytes(32).toString('base64'),
    PORT: '0',
    ...extra,
  };
}

/** A command that runs. */
export interface RunningCommand {
  readonly pid: number;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Resolves once one of the streams holds this text; rejects when the command ends before. */
  printed(text: string | RegExp): Promise<void>;
  /** The first JSON document on standard output. */
  document(): Promise<unknown>;
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<CommandResult>;
}

export interface CommandResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts the built command with these settings and no others. */
export function startCommand(
  args: readonly string[],
  env: Record<string, string>,
  stdin = '',
  cwd?: string,
): RunningCommand {
  const home = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '' };
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    env: { ...home, ...env },
    cwd,
  });
  running.add(child);
  const streams = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    streams.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    streams.stderr += text;
  });
  child.stdin.end(stdin);
  const ended = new Promise<CommandResult>((resolve) => {
    child.on('close', (exitCode) => {
      running.delete(child);
      resolve({ exitCode, ...streams });
    });
  });
  const until = (isThere: () => boolean, what: string) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if (isThere()) resolve();
      };
      for (const stream of [child.stdout, child.stderr]) stream.on('data', look);
      void ended.then(() => reject(new Error(`ended without printing ${what}: ${streams.stdout}${streams.stderr}`)));
      look();
    });
  return {
    stdout: () => streams.stdout,
    stderr: () => streams.stderr,
    printed: (text) =>
      until(() => {
        const all = streams.stdout + streams.stderr;
        return typeof text === 'string' ? all.includes(text) : text.test(all);
      }, String(text)),
    document: async () => {
      await until(() => streams.stdout.includes('\n'), 'a document');
      return JSON.parse(streams.stdout.split('\n', 1).join(''));
    },
    pid: child.pid ?? 0,
    kill: (signal) => void child.kill(signal),
    ended,
  };
}

/** Runs the built command to its end. */
export function runCommand(
  args: readonly string[],
  env: Record<string, string>,
  stdin = '',
  cwd?: string,
): Promise<CommandResult> {
  return startCommand(args, env, stdin, cwd).ended;
}

/** Runs a command to its end within this process: for what it answers, where nothing of its process matters. */
export async function answerOf(
  args: readonly string[],
  env: Record<string, string>,
  stdin = '',
): Promise<CommandResult> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const said = Promise.all([text(stdout), text(stderr)]);
  const exitCode = await runCli(args, { stdin: Readable.from([stdin]), stdout, stderr, env });
  stdout.end();
  stderr.end();
  const [out, err] = await said;
  return { exitCode, stdout: out, stderr: err };
}

/** A simulated TikTok within this process, until `endCommands`, and the settings that lead there. */
export async function startTikTok(options: SimulatorOptions = {}) {
  const simulator = await startSimulator({ processingMs: 100, ...options });
  simulators.add(simulator);
  const settings = {
    TIKTOK_API_BASE_URL: simulator.url,
    TIKTOK_CLIENT_KEY: simulator.clientKey,
    TIKTOK_CLIENT_SECRET: simulator.clientSecret,
  };
  return { simulator, settings };
}

/** Adds an account to TikTok and, by the command, to the vault. */
export async function addAccount(
  simulator: Simulator,
  account: string,
  env: Record<string, string>,
): Promise<AccountTokens> {
  const tokens = simulator.addAccount();
  const { openId, accessToken, refreshToken, expiresIn } = tokens;
  const added = await answerOf(
    ['accounts', 'add', account, '--open-id', openId],
    env,
    JSON.stringify({ accessToken, refreshToken, expiresIn }),
  );
  expect(added).toMatchObject({ exitCode: 0 });
  return tokens;
}

/** Ends commands that still run, and the simulators. */
export async function endCommands(): Promise<void> {
  const closed = [...running].map((child) => new Promise((resolve) => child.on('close', resolve)));
  for (const child of running) child.kill('SIGKILL');
  await Promise.all([...closed, ...[...simulators].map((simulator) => simulator.close())]);
  simulators.clear();
}
