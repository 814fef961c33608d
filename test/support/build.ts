import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** A path of the repository, such as `dist/bin/tiktok-publisher.js`. */
export const pathInRepository = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** What people run is the build. Projects that run it name this file as their global set-up: once, before any test. */
export default function buildIfStale(): void {
  const { status, stderr } = spawnSync(process.execPath, [pathInRepository('scripts/setup.mjs')], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the build failed: ${stderr}`);
}
