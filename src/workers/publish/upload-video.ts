import { exposureOf } from '../../core/exposure.ts';
import type { MediaSource, SourcePin } from '../../core/ports.ts';
import { PublishError } from '../../core/publish-error.ts';
import { isSamePin } from '../../core/source-pin.ts';
import { nowProcessing } from '../../ledger/change.ts';
import type { Needs } from '../deps.ts';
import type { OwnedJob } from '../owned-job.ts';
import { type PollPlanDeps, planFirstPoll } from '../status/plan-poll.ts';
import { inSpan } from '../step-span.ts';
import { askStatus } from '../tiktok-calls.ts';
import { type ChunkDeps, ChunkLoop, type StopSignals } from './chunk-loop.ts';
import { type InitDeps, initUpload, openUploadUrl } from './init-publish.ts';
import { commitProcessing } from './status-entry.ts';
import { planOf, positionFromStatus, type UploadPosition } from './upload-position.ts';

export type UploadDeps = ChunkDeps & InitDeps & PollPlanDeps & Needs<'queues' | 'sealer' | 'tracing'>;

/** Brings the bytes of a job to TikTok, from wherever TikTok says it is. Leaves the job `processing`. */
export async function uploadVideo(
  job: OwnedJob,
  source: MediaSource,
  deps: UploadDeps,
  stop: StopSignals,
): Promise<void> {
  const { position, newUrl } = await inSpan('begin upload', job.record, deps, async (note) => {
    const begun = await beginUpload(job, source.pin, deps);
    note({ 'upload.from_byte': begun.position.kind === 'at' ? begun.position.offsetBytes : undefined });
    return begun;
  });
  if (position.kind !== 'complete') {
    await inSpan('send chunks', job.record, deps, async () => {
      const uploadUrl = newUrl ?? (await openUploadUrl(job.record, deps));
      await new ChunkLoop({ job, source, uploadUrl, isNew: newUrl !== undefined }, deps, stop).run(position);
    });
  }
  const { session, totalBytes } = job.record;
  const change = {
    event: 'publish.upload.completed',
    cause: { event: 'upload_completed', totalBytes },
    patch: {
      ...nowProcessing(session, deps.clock.now(), planFirstPoll(job, deps)),
      ...{ acceptedBytes: totalBytes, sentBytes: totalBytes, attempts: 0 },
    },
  } as const;
  await commitProcessing(job, change, deps);
  deps.log.info({ publishJobId: job.record.id, totalBytes }, 'upload completed');
}

/** A new upload with its URL, or where TikTok says the present one is. */
async function beginUpload(
  job: OwnedJob,
  pin: SourcePin,
  deps: InitDeps & Needs<'metrics' | 'sealer'>,
): Promise<{ position: UploadPosition; newUrl?: string }> {
  if (exposureOf(job.record) === 'none') {
    const newUrl = await initUpload(job, pin, deps);
    return { position: { kind: 'at', offsetBytes: 0 }, newUrl };
  }
  if (!isSamePin(job.record.pin, pin)) {
    throw new PublishError('INPUT_MEDIA_CHANGED', { reason: 'the video has changed since the upload started' });
  }
  deps.metrics.uploadResumed('restart');
  const position = positionFromStatus(await askStatus(job, deps), planOf(job.record));
  await job.commit({
    cause: { event: 'resumed', tiktokHas: position.kind === 'at' ? position.offsetBytes : position.kind },
    patch: { waitingFor: undefined, waitingUntil: undefined },
  });
  return { position };
}
