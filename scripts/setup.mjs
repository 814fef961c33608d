// Makes a fresh clone runnable: installs what the lock file names and builds, each only when needed.
// Plain JavaScript without dependencies, since it runs before there are any.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, builtProgram } from './build.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const minimumNode = [20, 19];
/** What takes long says that it still runs. */
const TELL_EVERY_MS = 1_500;

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < minimumNode[0] || (major === minimumNode[0] && minor < minimumNode[1])) {
  console.error(`tiktok-publisher needs Node ${minimumNode.join('.')} or newer; this is ${process.version}.`);
  process.exit(3);
}

await installDependencies();
await buildIfStale();

async function installDependencies() {
  const stampPath = join(root, 'node_modules', '.tiktok-publisher-lock');
  const lockDigest = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stampPath) && readFileSync(stampPath, 'utf8') === lockDigest) return;
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  exitUnlessZero(await tellWhile('installing dependencies (npm ci)', run(npm, args)));
  writeFileSync(stampPath, lockDigest);
}

async function buildIfStale() {
  const sourceChangedAt = Math.max(newestChange(join(root, 'src')), statSync(join(root, 'tsconfig.json')).mtimeMs);
  if (existsSync(builtProgram) && statSync(builtProgram).mtimeMs >= sourceChangedAt) return;
  exitUnlessZero(await tellWhile('building', build()));
}

function exitUnlessZero(status) {
  if (status !== 0) process.exit(status);
}

/** In one line on a terminal, in new ones elsewhere. */
async function tellWhile(what, work) {
  const { isTTY } = process.stderr;
  const startedAt = performance.now();
  const tell = () => {
    const line = `setup: ${what} … ${Math.round((performance.now() - startedAt) / 1_000)} s`;
    process.stderr.write(isTTY ? `\r${line}` : `${line}\n`);
  };
  tell();
  const timer = setInterval(tell, TELL_EVERY_MS);
  try {
    return await work;
  } finally {
    clearInterval(timer);
    tell();
    if (isTTY) process.stderr.write('\n');
  }
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

/** Resolves to the exit code. */
async function run(command, args) {
  // npm hands its own settings down as npm_config_*; the child reads the same files itself.
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 2, 2] });
  try {
    const [status] = await once(child, 'exit');
    return status ?? 1;
  } catch (error) {
    console.error(`setup: ${command} could not run: ${error.message}`);
    return 1;
  }
}
