import { planChunks } from '../core/chunk-plan.ts';
import type { MediaSource } from '../core/ports.ts';
import { PublishError } from '../core/publish-error.ts';
import { isSamePin } from '../core/source-pin.ts';
import type { WorkerDeps } from './deps.ts';
import { initUpload } from './init-publish.ts';
import type { OwnedJob } from './owned-job.ts';
import { askStatus } from './tiktok-calls.ts';
import { planOf, positionFromStatus, type UploadPosition } from './upload-position.ts';

/** A new upload, or where TikTok says the present one is. */
export async function beginUpload(job: OwnedJob, source: MediaSource, deps: WorkerDeps): Promise<UploadPosition> {
  const { publishId, pin } = job.record;
  if (publishId === undefined) {
    const plan = planChunks(source.pin.sizeBytes, deps.settings.chunkSizeBytes);
    await initUpload(job, plan, source.pin, deps);
    return { kind: 'at', offsetBytes: 0 };
  }
  if (!isSamePin(pin, source.pin)) {
    throw new PublishError('INPUT_MEDIA_CHANGED', { reason: 'the video has changed since the upload started' });
  }
  deps.metrics.uploadResumed('restart');
  const position = positionFromStatus(await askStatus(job, deps), planOf(job.record));
  await job.commit({
    cause: { event: 'resumed', tiktokHas: position.kind === 'at' ? position.offsetBytes : position.kind },
    patch: { waitingFor: undefined, waitingUntil: undefined },
  });
  return position;
}
