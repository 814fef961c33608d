import { afterAll, beforeAll, vi } from 'vitest';
import { type Pipeline, type PipelineOptions, startPipeline } from './pipeline.ts';
import { PULLS } from './publish-case.ts';
import { makeVideo, sha256OfFile } from './videos.ts';

/** A pipeline and a video that the tests of one `describe` share, each with a TikTok user of its own. */
export interface PublishWorld {
  readonly pipeline: Pipeline;
  readonly video: string;
  readonly sha256: string;
}

/** Starts a world before the tests of this `describe` and stops it after them; TikTok takes 20 ms for a video. */
export function usePublishWorld(videoBytes: number, options: PipelineOptions = {}): () => PublishWorld {
  vi.setConfig({ maxConcurrency: 10 });
  let world: PublishWorld | undefined;
  beforeAll(async () => {
    const simulator = { ...PULLS, processingMs: 20, pullMs: 20, ...options.simulator };
    const pipeline = await startPipeline({ ...options, simulator });
    // Twice the upload slots of one process: most of the time the jobs sit out a backoff.
    await pipeline.startWorkers();
    const video = await makeVideo(pipeline.folder, videoBytes);
    world = { pipeline, video, sha256: await sha256OfFile(video) };
  });
  afterAll(async () => {
    await world?.pipeline.close();
  });
  return () => {
    if (world === undefined) throw new Error('the world has not begun yet');
    return world;
  };
}
