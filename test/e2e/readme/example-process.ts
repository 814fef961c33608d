import { type ChildProcess, spawn } from 'node:child_process';
import { resolve as resolvePath } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of all examples. */
export const EXAMPLES = fileURLToPath(new URL('../../../examples', import.meta.url));
const running = new Set<ChildProcess>();

/** What an example printed, and how it ended. */
export interface ExampleResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface StartedExample {
  readonly child: ChildProcess;
  readonly printed: { stdout: string; stderr: string };
  readonly ended: Promise<ExampleResult>;
}

/** What the app around has for itself, under names that are also settings of ours, with values that no setting takes. */
export const HOSTILE_APP = {
  PORT: 'abc',
  HOST: '0.0.0.0',
  LOG_LEVEL: 'silly',
  API_KEYS: ',',
  NODE_ENV: 'production',
  BOARD_USER: 'only-a-user',
  PUBLIC_BASE_URL: 'app.example',
  METRICS_PORT: 'yes',
  S3_ENDPOINT: 's3.app.example',
  S3_FORCE_PATH_STYLE: '1',
  OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4317',
  TIKTOK_PUBLISHER_SERVICE_HOST: '10.0.0.11',
  TIKTOK_PUBLISHER_PORT: 'tcp://10.0.0.11:3000',
};

/** Starts an example as the process of a hostile app would; `env` wins over what that has. */
function startExample(name: string, args: readonly string[], env: Record<string, string>, stdin = ''): StartedExample {
  const home = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '' };
  const program = name.endsWith('.py') ? 'python3' : process.execPath;
  const child = spawn(program, [resolvePath(EXAMPLES, name), ...args], { env: { ...home, ...HOSTILE_APP, ...env } });
  running.add(child);
  child.stdin.end(stdin);
  const printed = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    printed.stderr += text;
  });
  const ended = new Promise<ExampleResult>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode) => {
      running.delete(child);
      resolve({ exitCode, ...printed });
    });
  });
  return { child, printed, ended };
}

/** Runs an example to its end. */
export function runExample(name: string, args: readonly string[], env: Record<string, string>): Promise<ExampleResult> {
  return startExample(name, args, env).ended;
}

/** An example that serves HTTP. */
export interface ServingExample {
  readonly url: string;
  readonly stdout: () => string;
  /** Tells it to end, as whoever runs it does. */
  stop(): Promise<ExampleResult>;
}

/** Starts an example and waits until it says, in the group of the pattern, where it listens. */
export async function serveExample(
  name: string,
  env: Record<string, string>,
  { says = /listening on (\S+)/, stdin }: { readonly says?: RegExp; readonly stdin?: string } = {},
): Promise<ServingExample> {
  const { child, printed, ended } = startExample(name, [], env, stdin);
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout?.on('data', () => {
      const [, address] = says.exec(printed.stdout) ?? [];
      if (address !== undefined) resolve(address);
    });
    ended.then(({ stderr }) => reject(new Error(`${name} ended: ${stderr}`)), reject);
  });
  return {
    url,
    stdout: () => printed.stdout,
    stop: async () => {
      child.kill('SIGTERM');
      return await ended;
    },
  };
}

/** Ends what a failed test may have left running. */
export async function endExamples(): Promise<void> {
  const closed = [...running].map((child) => new Promise((resolve) => child.on('close', resolve)));
  for (const child of running) child.kill('SIGKILL');
  await Promise.all(closed);
}
