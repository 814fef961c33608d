import { mkdtemp, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { checkMediaRules } from '../../../src/core/media-rules.ts';
import { createMediaOpener } from '../../../src/media/open-media.ts';
import { probeMedia } from '../../../src/media/probe/probe-media.ts';
import { DEMO_VIDEO, LIVE_VIDEO } from '../../../src/media/shipped-videos.ts';
import { pathInRepository } from '../../support/build.ts';

/** What is known of a video, by a worker whose MEDIA_ROOTS hold none of ours. */
async function examine(path: string) {
  const media = createMediaOpener({ roots: [await mkdtemp(join(tmpdir(), 'media-roots-'))] });
  onTestFinished(() => media.close());
  const source = await media.open({ type: 'file', path });
  onTestFinished(() => source.close());
  const { facts } = await probeMedia(source);
  return { facts, findings: checkMediaRules(facts, 'direct') };
}

describe('the videos that the package ships', () => {
  it('may be published whatever MEDIA_ROOTS are, and nothing beside them', async () => {
    expect((await examine(DEMO_VIDEO)).findings).toEqual([]);
    await expect(examine(pathInRepository('package.json'))).rejects.toMatchObject({
      code: 'INPUT_MEDIA_OUTSIDE_ROOTS',
    });
  });

  it('meet every limit that TikTok documents; the small one is of one second', async () => {
    const { facts, findings } = await examine(LIVE_VIDEO);
    expect(facts).toMatchObject({ container: 'mp4', durationSeconds: 1, video: { codec: 'h264', frameRate: 30 } });
    expect(findings).toMatchObject([{ code: 'INPUT_MEDIA_DURATION', severity: 'warn' }]);
    expect((await stat(LIVE_VIDEO)).size).toBeLessThanOrEqual(30_000);
  });
});
