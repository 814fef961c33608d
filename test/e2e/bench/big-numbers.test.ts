import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { figureOf } from '../../../bench/measure.ts';
import type { Report } from '../../../bench/report.ts';

/* `npm run bench -- --only big` with a few jobs: its figures mean nothing here, but each scenario must come to its end. */

it('each benchmark of big numbers runs, and every figure is a number', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'big-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const json = join(folder, 'result.json');
  await promisify(execFile)(process.execPath, [
    'scripts/bench.mjs',
    '--only',
    'big',
    '--scale',
    '0.0005',
    '--json',
    json,
  ]);
  const { rows } = JSON.parse(await readFile(json, 'utf8')) as Report;
  expect(new Set(rows.map(({ id }) => id.split('.')[1]))).toEqual(
    new Set(['queued', 'jobs', 'accounts', 'scheduled', 'watched', 'deadHost', 'hotAccount', 'growth']),
  );
  expect(rows.filter((row) => !Number.isFinite(figureOf(row)))).toEqual([]);
});
