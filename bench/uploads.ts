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

/** The product beside curl and the ways one would write first. */
async function besideCurl(
  lab: UploadLab,
  path: string,
  what: { scheme: 'plain' | 'tls'; megabytes: number; runs: number },
) {
  const { scheme, megabytes, runs } = what;
  const id = `uploads.${scheme}${megabytes}`;
  const chunkSizeBytes = megabytes * MEGABYTE_BYTES;
  const tiktokUrl = lab.urls[scheme];
  const url = `${tiktokUrl}/upload/`;
  const curl = await prepareCurl(join(lab.folder, id), planChunks(VIDEO_BYTES, chunkSizeBytes), { url, ca: lab.ca });
  const settings = { media: { type: 'file', path }, chunkSizeBytes, tiktokUrl } as const;
  const upload = () => lab.upload('upload', settings);
  // Fills the page cache with what is read below.
  await Promise.all([curl(), upload()]);
  const { product, ...baselines } = await interleave(runs, {
    ...{ product: upload, curl },
    whole: () => lab.upload('naive-upload', { ...settings, way: 'whole' }),
    stream: () => lab.upload('naive-upload', { ...settings, way: 'stream' }),
  });
  const label = `upload of 1 GB, chunks of ${megabytes} MB${scheme === 'tls' ? ', TLS' : ''}`;
  const rate = (name: string, costs: readonly Cost[], target?: Row['target']): Row => ({
    ...{ id: `${id}.rate.${name}`, what: label, unit: 'MB/s', target },
    product: product.map(rateOf),
    baseline: { name, values: costs.map(rateOf) },
  });
  return [
    rate('curl', baselines.curl, { atLeast: 0.9 }),
    {
      ...{ id: `${id}.cpu`, what: `CPU of the ${label}`, unit: 'ms', target: { atMost: 1.7 } },
      product: product.map(({ cpuMs }) => cpuMs),
      baseline: { name: 'curl', values: baselines.curl.map(({ cpuMs }) => cpuMs) },
    },
    rate('fetch, whole file read', baselines.whole),
    rate('fetch, file stream', baselines.stream),
  ];
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
        for (const megabytes of [10, 64]) rows.push(...(await besideCurl(lab, path, { scheme, megabytes, runs })));
      }
      return [...rows, ...(await besideDisk(lab, path, runs))];
    } finally {
      await lab.close();
    }
  },
};
