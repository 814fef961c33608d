import { join } from 'node:path';
import { planChunks } from '../src/core/chunk-plan.ts';
import { GIGABYTE_BYTES, MEGABYTE_BYTES } from '../src/core/units.ts';
import { prepareCurl } from './curl.ts';
import { startProgram } from './lab.ts';
import { type Benchmark, interleave, type Row } from './measure.ts';
import type { Cost } from './programs/parent.ts';
import { makeHollowVideo, openUploadLab, type UploadLab } from './upload-lab.ts';

/* What bringing 1 GB to TikTok takes: the chunks of one job on loopback, once the job has its upload URL. */

const VIDEO_BYTES = GIGABYTE_BYTES;

/** The product beside one curl that sends the same chunks. */
async function besideCurl(
  lab: UploadLab,
  path: string,
  runs: number,
  way: { scheme: 'plain' | 'tls'; megabytes: number },
) {
  const { scheme, megabytes } = way;
  const id = `uploads.${scheme}${megabytes}`;
  const chunkSizeBytes = megabytes * MEGABYTE_BYTES;
  const tiktokUrl = lab.urls[scheme];
  const target = { url: `${tiktokUrl}/upload/`, ca: lab.ca };
  const sides = {
    curl: await prepareCurl(join(lab.folder, id), planChunks(VIDEO_BYTES, chunkSizeBytes), target),
    product: () => lab.upload('upload', { media: { type: 'file', path }, chunkSizeBytes, tiktokUrl }),
  };
  // Fills the page cache with what is read from now on.
  await interleave(1, sides);
  const { product, curl } = await interleave(runs, sides);
  const cpuOf = ({ cpuMs }: Cost) => cpuMs;
  const what = `upload of 1 GB, chunks of ${megabytes} MB${scheme === 'tls' ? ', TLS' : ''}`;
  return [
    {
      ...{ id: `${id}.rate`, what, unit: 'MB/s', target: { atLeast: 0.9 } },
      product: product.map(rateOf),
      baseline: { name: 'curl', values: curl.map(rateOf) },
    },
    {
      ...{ id: `${id}.cpu`, what: `CPU of the ${what}`, unit: 'ms', target: { atMost: 1.7 } },
      product: product.map(cpuOf),
      baseline: { name: 'curl', values: curl.map(cpuOf) },
    },
  ];
}

/** The product beside what one would write first. */
async function besideNaive(lab: UploadLab, path: string, runs: number): Promise<Row[]> {
  const chunkSizeBytes = 10 * MEGABYTE_BYTES;
  const settings = { media: { type: 'file', path }, chunkSizeBytes, tiktokUrl: lab.urls.plain } as const;
  const { product, ...naive } = await interleave(runs, {
    product: () => lab.upload('upload', settings),
    'fetch, whole file read': () => lab.upload('naive-upload', { ...settings, way: 'whole' }),
    'fetch, file stream': () => lab.upload('naive-upload', { ...settings, way: 'stream' }),
  });
  return Object.entries(naive).map(([name, costs]) => ({
    ...{ id: `uploads.${name}`, what: 'upload of 1 GB, chunks of 10 MB', unit: 'MB/s' },
    product: product.map(rateOf),
    baseline: { name, values: costs.map(rateOf) },
  }));
}

function rateOf({ ms }: Cost): number {
  return VIDEO_BYTES / MEGABYTE_BYTES / (ms / 1_000);
}

/** Videos on servers beside the file on disk. */
async function besideDisk(lab: UploadLab, path: string, runs: number): Promise<Row[]> {
  const server = await startProgram('media-server', { sizeBytes: VIDEO_BYTES });
  try {
    const mediaServer = await server.ask<string>('url');
    const settings = { chunkSizeBytes: 10 * MEGABYTE_BYTES, tiktokUrl: lab.urls.plain, mediaServer };
    const { file, ...sources } = await interleave(runs, {
      file: () => lab.upload('upload', { ...settings, media: { type: 'file', path } }),
      url: () => lab.upload('upload', { ...settings, media: { type: 'url', url: `${mediaServer}/video.mp4` } }),
      s3: () => lab.upload('upload', { ...settings, media: { type: 's3', bucket: 'videos', key: 'video.mp4' } }),
    });
    return Object.entries(sources).map(([source, costs]) => ({
      ...{ id: `uploads.${source}`, what: `upload of 1 GB from ${source}`, unit: 'MB/s', target: { atLeast: 0.8 } },
      product: costs.map(rateOf),
      baseline: { name: 'from disk', values: file.map(rateOf) },
    }));
  } finally {
    await server.end();
  }
}

export const uploadsBenchmark: Benchmark = {
  name: 'uploads',
  async run({ full }) {
    const runs = full ? 7 : 3;
    const lab = await openUploadLab();
    try {
      const path = await makeHollowVideo(lab.folder, VIDEO_BYTES);
      const rows: Row[] = [];
      for (const scheme of ['plain', 'tls'] as const) {
        for (const megabytes of [10, 64]) rows.push(...(await besideCurl(lab, path, runs, { scheme, megabytes })));
      }
      return [...rows, ...(await besideNaive(lab, path, full ? runs : 1)), ...(await besideDisk(lab, path, runs))];
    } finally {
      await lab.close();
    }
  },
};
