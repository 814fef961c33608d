import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { figureOf } from '../../bench/measure.ts';
import type { Report } from '../../bench/report.ts';

/*
 * Benchmarks of big numbers with a few jobs: their figures mean nothing here, but they must come to their end. The others are
 * made of the same parts.
 */
const ONLY = 'queued,watched,dead-host,growth';

it('benchmarks of big numbers run, and every figure is a number', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'big-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const json = join(folder, 'result.json');
  await promisify(execFile)(process.execPath, [
    'scripts/bench.mjs',
    '--only',
    ONLY,
    '--scale',
    '0.0005',
    '--json',
    json,
  ]);
  const { rows } = JSON.parse(await readFile(json, 'utf8')) as Report;
  expect(new Set(rows.map(({ id }) => id.split('.')[1]))).toEqual(
    new Set(['queued', 'jobs', 'watched', 'deadHost', 'growth']),
  );
  expect(rows.filter((row) => !Number.isFinite(figureOf(row)))).toEqual([]);
});
