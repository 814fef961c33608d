import { v7 as uuidv7 } from 'uuid';
import { newRecord, nowProcessing } from '../src/ledger/change.ts';
import { createLedger, SWEEP_AFTER_MS } from '../src/ledger/ledger.ts';
import { createQueues } from '../src/ledger/queues/queues.ts';
import { closeRedis, connectRedis } from '../src/redis/connections.ts';
import { type Product, QUEUE_PREFIX } from './product.ts';

/** How long TikTok has worked on the videos: by now their polls are rare. */
const PROCESSING_FOR_MS = 900_000;
const VIDEO_BYTES = 1_100_000;

export interface FilledJob {
  readonly id: string;
  readonly publishId: string;
}

/**
 * Brings jobs to `processing` by the product's own steps from enqueue to the end of the upload, without the time that
 * workers and TikTok take. Jobs of one account come after each other.
 */
export async function fillWithProcessing(
  { redis: { url }, keys, request }: Product,
  {
    jobs,
    accounts,
    firstPollInMs,
  }: { readonly jobs: number; readonly accounts: number; readonly firstPollInMs: number },
): Promise<FilledJob[]> {
  const redis = await connectRedis({ kind: 'url', url }, 'ledger');
  const ledger = createLedger({ redis, keys, clock: Date });
  const queues = createQueues({ connection: redis, prefix: QUEUE_PREFIX });

  async function bringToProcessing(number: number): Promise<FilledJob> {
    const now = Date.now() - PROCESSING_FOR_MS;
    const pollAt = Date.now() + firstPollInMs;
    const queued = newRecord({ id: uuidv7(), request: request(`creator-${number % accounts}`), now });
    const { id, account } = queued;
    const publishId = `v_pub_file~v2-1.filled-${number}`;
    await ledger.create(queued, { event: 'queued' });
    const sent = await ledger.commit(queued, {
      ...{ to: 'uploading', event: 'publish.started', cause: { event: 'init_sent', source: 'file_upload' } },
      patch: { session: { kind: 'init_sent', intendedAt: now }, initCount: 1, totalBytes: VIDEO_BYTES },
    });
    const begun = await ledger.commit(sent, {
      ...{ hasBegun: true, cause: { event: 'init_answered', publishId }, also: { event: 'last_chunk_started' } },
      patch: { session: { kind: 'upload', publishId, lastChunkStartedAt: now } },
    });
    await ledger.commitAndLeave(begun, {
      ...{ to: 'processing', event: 'publish.upload.completed', dueAt: pollAt + SWEEP_AFTER_MS },
      cause: { event: 'upload_completed', totalBytes: VIDEO_BYTES },
      patch: {
        ...nowProcessing(begun.session, now, pollAt),
        ...{ acceptedBytes: VIDEO_BYTES, sentBytes: VIDEO_BYTES, attempts: 0 },
      },
    });
    await queues.addStatusEntry({ version: 1, id, account }, firstPollInMs);
    return { id, publishId };
  }

  const filled: FilledJob[] = [];
  while (filled.length < jobs) {
    const group = Array.from({ length: Math.min(accounts, 500, jobs - filled.length) }, (_, n) => filled.length + n);
    filled.push(...(await Promise.all(group.map(bringToProcessing))));
  }
  await queues.close();
  await closeRedis(redis);
  return filled;
}
