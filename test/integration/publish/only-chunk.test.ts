import { expect, it } from 'vitest';
import { PublishError } from '../../../src/core/publish-error.ts';
import { eventually } from '../../support/eventually.ts';
import { type Pipeline, startTestPipeline } from '../../support/pipeline.ts';
import { makeVideo } from '../../support/videos.ts';

/* The mark of an only chunk is written with TikTok's answer to the init: before it is known whether the chunk is sent. */

async function enqueue({ publisher, folder }: Pipeline): Promise<string> {
  const media = { type: 'file', path: await makeVideo(folder, 1_000) } as const;
  return (await publisher.enqueue({ account: 'acme', mode: 'direct', media, post: { privacyLevel: 'SELF_ONLY' } })).id;
}

/** A job whose worker is told to stop while it waits for the answer of the init. */
async function handedBack() {
  const pipeline = await startTestPipeline({ workers: false });
  const { simulator, publisher } = pipeline;
  simulator.faults.add({ endpoint: 'video_init', act: { kind: 'delay', ms: 600 } });
  const workers = await pipeline.startWorkers();
  const id = await enqueue(pipeline);
  await eventually(() => simulator.journal.requests({ endpoint: 'video_init' }).length === 1);
  await workers.close({ timeoutMs: 10_000 });
  const events = (await publisher.get(id))?.timeline.map(({ event }) => event);
  expect(events?.slice(-4)).toEqual(['init_answered', 'last_chunk_started', 'last_chunk_held_back', 'handed_back']);
  expect(simulator.journal.requests({ endpoint: 'upload' })).toEqual([]);
  return { ...pipeline, id };
}

it('can be cancelled while its only chunk was never sent', async () => {
  const { publisher, id } = await handedBack();
  expect((await publisher.cancel(id)).state).toBe('cancelled');
});

it('does not go on for an account that was paused since', async () => {
  const { vault, publisher, simulator, wakeLane, startWorkers, id } = await handedBack();
  await vault.pause('acme');
  await startWorkers();
  await eventually(async () => expect((await publisher.get(id))?.waitingFor).toBe('account_paused'));
  expect(simulator.journal.posts()).toEqual([]);
  await vault.resume('acme');
  await wakeLane('acme');
  expect((await publisher.waitForCompletion(id)).state).toBe('published');
  expect(simulator.journal.publishes()).toHaveLength(1);
});

it.each([1_000, 16_000_000])(
  'of %d bytes stays in doubt when its last chunk is refused the second time',
  async (bytes) => {
    const pipeline = await startTestPipeline({ workers: false });
    const { simulator, publisher, folder, deps } = pipeline;
    let lastChunks = 0;
    await pipeline.startWorkersWith({
      tiktok: {
        ...deps.tiktok,
        async putChunk(input) {
          const { startByte, endByteExclusive } = input.chunk;
          const isLast = endByteExclusive === input.totalBytes;
          if (isLast) lastChunks += 1;
          if (isLast && lastChunks === 2) throw new PublishError('UPLOAD_CHUNK_REFUSED');
          const answer = await deps.tiktok.putChunk(input);
          // It was taken, and TikTok asks for it again.
          return isLast ? { ...answer, complete: false, reportedUploadedBytes: startByte } : answer;
        },
      },
    });
    const media = { type: 'file', path: await makeVideo(folder, bytes) } as const;
    const { id } = await publisher.enqueue({
      account: 'acme',
      mode: 'direct',
      media,
      post: { privacyLevel: 'SELF_ONLY' },
    });
    const job = await publisher.waitForCompletion(id);
    expect(job.state).toBe('published');
    expect(job.timeline.map(({ event }) => event)).not.toContain('last_chunk_refused');
    expect(simulator.journal.posts()).toHaveLength(1);
  },
);
