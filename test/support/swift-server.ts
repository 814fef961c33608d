import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { eventually } from './eventually.ts';

/** What the one user of a test's Swift signs with. */
export const SWIFT_CREDENTIALS = { accessKeyId: 'test:tester', secretAccessKey: 'testing-secret' };

const PROGRAMS = [
  'swift-ring-builder',
  'swift-proxy-server',
  ...['account', 'container', 'object'].map((kind) => `swift-${kind}-server`),
];

/** Whether OpenStack Swift is installed (Debian: swift-proxy, swift-account, swift-container, swift-object). */
export function hasSwift(): boolean {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return PROGRAMS.every((program) => folders.some((folder) => isExecutable(join(folder, program))));
}

export type SwiftServer = Awaited<ReturnType<typeof startSwift>>;

/** Starts OpenStack Swift with its S3 API, which checks signatures: four processes on loopback, one copy of all data. */
export async function startSwift() {
  const folder = await mkdtemp(join(tmpdir(), 'tiktok-publisher-swift-'));
  const [proxy = 0, account = 0, container = 0, object = 0] = await freePorts(4);
  const ports = { account, container, object };
  await mkdir(join(folder, 'devices', 'sda'), { recursive: true });
  for (const [kind, port] of Object.entries(ports)) {
    const ring = (...args: string[]) =>
      execFileSync('swift-ring-builder', [`${kind}.builder`, ...args], { cwd: folder });
    ring('create', '4', '1', '0');
    ring(
      'add',
      '--region',
      '1',
      '--zone',
      '1',
      '--ip',
      '127.0.0.1',
      '--port',
      String(port),
      '--device',
      'sda',
      '--weight',
      '1',
    );
    ring('rebalance');
    await writeFile(join(folder, `${kind}.conf`), storageConf(kind, port, folder));
  }
  await writeFile(join(folder, 'swift.conf'), '[swift-hash]\nswift_hash_path_prefix = a\nswift_hash_path_suffix = b\n');
  await writeFile(join(folder, 'proxy.conf'), proxyConf(proxy, folder));
  const children = [...Object.keys(ports), 'proxy'].map((kind) =>
    spawn(`swift-${kind}-server`, [join(folder, `${kind}.conf`)], { stdio: ['ignore', 'ignore', 'pipe'] }),
  );
  const endpoint = `http://127.0.0.1:${proxy}`;
  const close = async (): Promise<void> => {
    await Promise.all(children.map(stopChild));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await eventually(async () => (await fetch(`${endpoint}/healthcheck`)).ok, { intervalMs: 100 });
  } catch (error) {
    await close();
    throw error;
  }
  return { endpoint, region: 'us-east-1', pids: children.map(({ pid }) => pid ?? 0), close };
}

const COMMON = (port: number, folder: string) => `[DEFAULT]
bind_ip = 127.0.0.1
bind_port = ${port}
workers = 0
user = ${execFileSync('id', ['-un']).toString().trim()}
swift_dir = ${folder}
devices = ${folder}/devices
mount_check = false
log_level = ERROR
`;

const storageConf = (kind: string, port: number, folder: string): string => `${COMMON(port, folder)}
[pipeline:main]
pipeline = ${kind}-server
[app:${kind}-server]
use = egg:swift#${kind}
`;

const proxyConf = (port: number, folder: string): string => `${COMMON(port, folder)}
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck cache listing_formats s3api tempauth copy slo dlo versioned_writes symlink proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:healthcheck]
use = egg:swift#healthcheck
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:1
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
s3_acl = false
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = ${SWIFT_CREDENTIALS.secretAccessKey} .admin
[filter:copy]
use = egg:swift#copy
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_versioned_writes = true
allow_object_versioning = true
[filter:symlink]
use = egg:swift#symlink
`;

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve) => {
          server.listen(0, '127.0.0.1', () => {
            const address = server.address();
            resolve(typeof address === 'object' && address !== null ? address.port : 0);
          });
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
