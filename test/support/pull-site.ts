import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openServer } from '../../src/app/open-server.ts';
import type { LinkToMedia } from '../../src/core/ports.ts';
import { freePort } from '../../src/embedded-redis/redis-process.ts';
import { type PipelineOptions, startTestPipeline } from './pipeline.ts';
import { openCase } from './publish-case.ts';

/**
 * Workers and the web server from which TikTok downloads media. The simulator holds it to TikTok's rules: the prefix has to
 * be verified, and no redirect is followed.
 */
export async function startPullSite(options: Omit<PipelineOptions, 'webPort' | 'workers'> = {}) {
  const webPort = await freePort();
  const baseUrl = `http://127.0.0.1:${webPort}`;
  const pipeline = await startTestPipeline({
    ...{ ...options, webPort, workers: false },
    simulator: {
      ...{ fetchPulls: true, processingMs: 20, verifiedUrlPrefixes: [`${baseUrl}/pull/`] },
      switches: { pullUrlRules: 'loopback' },
      ...options.simulator,
    },
  });
  await openServer(pipeline.service);
  const links: string[] = [];
  const linkToMedia: LinkToMedia = async (...target) => {
    const link = await pipeline.deps.linkToMedia?.(...target);
    if (link === undefined) throw new Error('expected PUBLIC_BASE_URL');
    links.push(link);
    return link;
  };
  await pipeline.startWorkersWith({ linkToMedia });
  return {
    ...{ pipeline, baseUrl },
    ...(await openCase(pipeline)),
    /** All links that were made, oldest first. */
    links,
    /** Writes a file. */
    async file(name: string, bytes: Buffer): Promise<string> {
      const path = join(pipeline.folder, name);
      await writeFile(path, bytes);
      return path;
    },
  };
}
