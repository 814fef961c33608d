import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPublisherFromConfig } from '../src/app/create-publisher.ts';
import { GIGABYTE_BYTES, MEBIBYTE_BYTES } from '../src/core/units.ts';
import { startProgram, startRedis } from './lab.ts';
import { type Benchmark, interleave, type Row } from './measure.ts';
import { makeHollowVideo } from './upload-lab.ts';

/* The most memory that a worker process ever holds while it uploads, from its start to its last upload. */

const PREFIX = '{bench}';

/** @returns peak RSS (MiB) of a worker that uploads so many videos at once */
async function peakOf(path: string, uploads: number): Promise<number> {
  const redis = await startRedis();
  const tiktok = await startProgram('tiktok', { pollsUntilDone: 1 });
  const environment = {
    ...{ REDIS_URL: redis.url, QUEUE_PREFIX: PREFIX, TIKTOK_API_BASE_URL: await tiktok.ask<string>('url') },
    ...{ UPLOAD_CONCURRENCY: '4', PREFLIGHT: 'off', LOG_LEVEL: 'error' },
    ENCRYPTION_KEYS: randomBytes(32).toString('base64'),
  };
  const worker = await startProgram('product-worker', { environment, pollMs: [1_000] }, { isOwn: true });
  const publisher = createPublisherFromConfig({
    redis: { kind: 'url', url: redis.url },
    ...{ dataDir: '', cacheDir: '', queuePrefix: PREFIX },
  });
  try {
    for (let number = 0; number < uploads; number += 1) {
      await publisher.enqueue({ account: `creator-${number}`, mode: 'inbox', media: { type: 'file', path } });
    }
    await worker.ask('start');
    await tiktok.ask('until', { kind: 'uploads', number: uploads });
    return (await worker.ask<number>('peakRssBytes')) / MEBIBYTE_BYTES;
  } finally {
    await publisher.close();
    await worker.end();
    await tiktok.end();
    await redis.close();
  }
}

export const memoryBenchmark: Benchmark = {
  name: 'memory',
  async run({ full }) {
    const folder = await mkdtemp(join(tmpdir(), 'bench-memory-'));
    try {
      const small = await makeHollowVideo(folder, GIGABYTE_BYTES);
      const large = await makeHollowVideo(folder, 4 * GIGABYTE_BYTES);
      const peaks = await interleave(full ? 5 : 2, {
        one: () => peakOf(small, 1),
        large: () => peakOf(large, 1),
        four: () => peakOf(small, 4),
      });
      const row = (id: string, what: string, product: readonly number[], atMost: number): Row => ({
        ...{ id: `memory.${id}`, what, unit: 'MiB', product, target: { atMost } },
      });
      const beyondOne = (values: readonly number[]) =>
        values.map((value, run) => value - (peaks.one[run] ?? Number.NaN));
      return [
        row('one', 'peak RSS of a worker that uploads 1 GB', peaks.one, 120),
        row('large', 'more of it for 4 GB', beyondOne(peaks.large), 5),
        row('four', 'more of it for four of 1 GB at once', beyondOne(peaks.four), 60),
      ];
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};
