import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { cacheDirFrom } from '../../../src/config/load-config.ts';
import { findRedisProgram } from '../../../src/embedded-redis/redis-binary.ts';
import { freePort } from '../../../src/embedded-redis/redis-process.ts';
import { pathInRepository } from '../../support/build.ts';
import { eventually } from '../../support/eventually.ts';

const PASSWORD = '9c5d0f6a31b24e7c';

async function commandOfCompose(): Promise<string[]> {
  const { services } = parse(await readFile(pathInRepository('docker-compose.yml'), 'utf8'), { merge: true });
  return services.redis.command.map((part: string) => part.replaceAll('$$', '$'));
}

async function commandOfKubernetes(): Promise<string[]> {
  const documents = parseAllDocuments(await readFile(pathInRepository('deploy/kubernetes/redis.yaml'), 'utf8'));
  const [set] = documents.map((document) => document.toJS()).filter(({ kind }) => kind === 'StatefulSet');
  const [{ command, args }] = set.spec.template.spec.containers;
  return [...command, ...args];
}

/** Starts a Redis as a deployment does, on a port and in a folder of its own. */
async function startDeployed(command: readonly string[]) {
  const program = await findRedisProgram({ cacheDir: cacheDirFrom(process.env) });
  const folder = await mkdtemp(join(tmpdir(), 'deployed-redis-'));
  await mkdir(join(folder, 'bin'));
  await symlink(program.command, join(folder, 'bin/redis-server'));
  const port = await freePort();
  const [shell = '', ...args] = command.map((part) => part.replaceAll('/tmp/', `${folder}/`));
  const server = spawn(shell, [...args, '--bind', '127.0.0.1', '--port', String(port), '--dir', folder], {
    env: {
      ...process.env,
      ...(program.libraryPath && { LD_LIBRARY_PATH: program.libraryPath }),
      PATH: `${join(folder, 'bin')}:${process.env.PATH}`,
      REDISCLI_AUTH: PASSWORD,
    },
    stdio: 'ignore',
  });
  const exited = once(server, 'exit');
  onTestFinished(async () => {
    server.kill('SIGKILL');
    await exited;
    await rm(folder, { recursive: true, force: true });
  });
  return { port, folder, pid: server.pid };
}

async function ask(port: number, password?: string): Promise<string> {
  const options = { lazyConnect: true, enableReadyCheck: false, retryStrategy: null, maxRetriesPerRequest: 0 };
  // Without a password the third version of the protocol is refused before any command.
  const redis = new Redis({ ...options, protocol: 2, port, ...(password !== undefined && { password }) });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    return await redis.ping();
  } finally {
    redis.disconnect();
  }
}

describe.each([
  ['docker-compose.yml', commandOfCompose],
  ['Kubernetes', commandOfKubernetes],
])('the Redis of %s', (_, commandOf) => {
  it('asks for its password, which no other user of the machine can read', async () => {
    const { port, folder, pid } = await startDeployed(await commandOf());
    await eventually(async () => expect(await ask(port, PASSWORD)).toBe('PONG'));
    await expect(ask(port)).rejects.toThrow('NOAUTH');
    await expect(ask(port, 'wrong')).rejects.toThrow();
    expect((await stat(join(folder, 'password.conf'))).mode & 0o077).toBe(0);
    const { stdout } = await promisify(execFile)('ps', ['-o', 'args=', '-p', String(pid)]);
    expect(stdout).toContain('redis-server');
    expect(stdout).not.toContain(PASSWORD);
  });
});
