import { describe, expect, it } from 'vitest';
import { processPublishEntry } from '../../../src/workers/publish/publish-processor.ts';
import { PATIENTLY } from '../../support/eventually.ts';
import { startTestPipeline } from '../../support/pipeline.ts';
import { makeVideo } from '../../support/videos.ts';

/** Three chunks, the last one a little longer. */
const VIDEO_BYTES = 15_800_000;
const CHUNK_BYTES = 5_242_880;

/** A job that no worker takes, and a way to make two take it. */
async function startForcible() {
  const pipeline = await startTestPipeline({ workers: false });
  const { deps, publisher, simulator, folder } = pipeline;
  const path = await makeVideo(folder, VIDEO_BYTES);
  const post = { title: 'A title', privacyLevel: 'SELF_ONLY' } as const;
  const request = { account: 'acme', mode: 'direct', media: { type: 'file', path }, post } as const;
  const { id } = await publisher.enqueue(request);
  const never = new AbortController().signal;
  return {
    ...{ id, publisher, simulator },
    run: (entry: string, start: number) =>
      processPublishEntry(
        {
          id,
          isNumbered: false,
          data: request,
          addedAt: Date.now(),
          replaceData: async () => {},
          run: { entry, start },
        },
        deps,
        {
          draining: never,
          signal: never,
        },
      ),
  };
}

describe('two workers on one job by force', () => {
  it('end with the newer one as the only owner, and one upload', async () => {
    const { run, simulator, publisher, id } = await startForcible();
    const act = { kind: 'slow_read', bytesPerSecond: 4_000_000 } as const;
    simulator.faults.add({ endpoint: 'upload', when: { chunkIndex: 1 }, act });
    const older = run('entry', 1);
    const { publishId = '' } = await simulator.journal.waitFor(({ endpoint }) => endpoint === 'video_init', PATIENTLY);
    await simulator.journal.waitForReceived(publishId, CHUNK_BYTES + 1_000_000, PATIENTLY);
    const newer = run('entry', 2);
    expect((await older).kind).toBe('lost');
    expect((await newer).kind).toBe('done');
    expect(await publisher.get(id)).toMatchObject({ state: 'processing', attempts: 0 });
    const puts = simulator.journal.requests({ endpoint: 'upload' });
    const accepted = puts.flatMap(({ chunk }) => (chunk?.accepted ? [chunk] : []));
    expect(accepted.map(({ startByte }) => startByte)).toEqual([0, CHUNK_BYTES, 2 * CHUNK_BYTES]);
    expect(accepted.filter(({ concurrent }) => concurrent)).toEqual([]);
    expect(simulator.journal.publishes()).toMatchObject([{ completeUploads: 1 }]);
  });

  it('that start at the same moment send one upload', async () => {
    const { run, simulator } = await startForcible();
    const settlements = await Promise.all([run('one entry', 1), run('another entry', 1)]);
    expect(settlements.map(({ kind }) => kind).sort()).toEqual(['done', 'lost']);
    const uploads = simulator.journal.publishes().filter(({ completeUploads }) => completeUploads > 0);
    expect(uploads).toHaveLength(1);
  });

  it('of which one only repeats a start that was seen are told apart', async () => {
    const { run, simulator } = await startForcible();
    expect((await run('entry', 2)).kind).toBe('done');
    expect((await run('entry', 2)).kind).toBe('lost');
    expect((await run('entry', 1)).kind).toBe('lost');
    expect(simulator.journal.publishes()).toHaveLength(1);
  });
});
