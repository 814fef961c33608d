import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Environment } from '../config/given-settings.ts';
import { orLate } from '../core/deadline.ts';
import { MINUTE_MS } from '../core/units.ts';

const PROGRAM = fileURLToPath(new URL('../bin/tiktok-publisher.js', import.meta.url));
/** It ends with us, however we end. */
const END_WITH_PARENT = 'data:text/javascript,process.on("disconnect",()=>process.exit())';
const START_TIMEOUT_MS = MINUTE_MS;

/** A worker in a process of its own. */
export interface DemoWorker {
  readonly pid: number;
  /** By SIGKILL, which no process can handle. Resolves when it has ended. */
  kill(): Promise<void>;
}

/**
 * Runs `tiktok-publisher worker` for uploads, with these settings and no others, until it is killed.
 * @throws Error when it does not start
 */
export async function startDemoWorker(env: Environment): Promise<DemoWorker> {
  // Empty, not left out: a `.env` file in this folder must not fill them in.
  const given = Object.entries(env).map(([name, text = '']) => [name, text]);
  const child = fork(PROGRAM, ['worker', '--only', 'upload', '--json'], {
    env: Object.fromEntries(given),
    execArgv: ['--import', END_WITH_PARENT],
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const exited = new Promise<void>((resolve) => {
    for (const event of ['exit', 'error']) child.once(event, () => resolve());
  });
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
  };
  try {
    return { pid: await orLate(started(child), { withinMs: START_TIMEOUT_MS, late: failed }), kill };
  } catch (error) {
    await kill();
    throw error;
  }
}

async function started(child: ChildProcess): Promise<number> {
  const { pid, stdout } = child;
  if (pid === undefined || stdout === null) return failed();
  // What it answers once its workers run.
  const hasAnswered = once(stdout, 'data').then(() => true);
  const hasEnded = once(child, 'exit').then(() => false);
  return (await Promise.any([hasAnswered, hasEnded])) ? pid : failed();
}

function failed(): never {
  throw new Error('the worker process of the demo did not start; LOG_LEVEL=debug shows more');
}
