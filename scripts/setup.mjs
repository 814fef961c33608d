// Makes a fresh clone runnable: installs what the lock file names and builds, each only when needed.
// Plain JavaScript without dependencies, since it runs before there are any.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, buildStampPath } from './build.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const minimumNode = [20, 19];

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < minimumNode[0] || (major === minimumNode[0] && minor < minimumNode[1])) {
  console.error(`tiktok-publisher needs Node ${minimumNode.join('.')} or newer; this is ${process.version}.`);
  process.exit(3);
}

installDependencies();
buildIfStale();

function installDependencies() {
  const stampPath = join(root, 'node_modules', '.tiktok-publisher-lock');
  const lockDigest = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stampPath) && readFileSync(stampPath, 'utf8') === lockDigest) return;
  console.error('setup: installing dependencies (npm ci) …');
  run(process.platform === 'win32' ? 'npm.cmd' : 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  writeFileSync(stampPath, lockDigest);
}

function buildIfStale() {
  const sourceChangedAt = Math.max(newestChange(join(root, 'src')), statSync(join(root, 'tsconfig.json')).mtimeMs);
  if (existsSync(buildStampPath) && statSync(buildStampPath).mtimeMs >= sourceChangedAt) return;
  console.error('setup: building …');
  const status = build();
  if (status !== 0) process.exit(status);
}

/** Newest modification time (ms) of any file below a folder. */
function newestChange(folder) {
  let newest = statSync(folder).mtimeMs;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    newest = Math.max(newest, entry.isDirectory() ? newestChange(path) : statSync(path).mtimeMs);
  }
  return newest;
}

function run(command, args) {
  // npm hands its own settings down as npm_config_*; the child reads the same files itself.
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (error) console.error(`setup: ${command} could not run: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}
