import type { PublishJob } from '../../../src/core/publish-job.ts';

/** A job as a test needs it; what the test does not name is as right after enqueueing. */
export function sampleJob(fields: Partial<PublishJob> = {}): PublishJob {
  return {
    id: '0198f1c2-0000-7000-8000-000000000001',
    account: 'acme',
    mode: 'direct',
    state: 'queued',
    waitingFor: null,
    waitingUntil: null,
    createdAt: '2026-11-22T10:00:00.000Z',
    updatedAt: '2026-11-22T10:00:05.000Z',
    scheduledAt: null,
    endedAt: null,
    publishId: null,
    postIds: [],
    postUrls: [],
    progress: { totalBytes: 0, sentBytes: 0, acceptedBytes: 0 },
    attempts: 0,
    failure: null,
    request: {
      account: 'acme',
      mode: 'direct',
      media: { type: 'file', path: '/srv/media/spring.mp4' },
      post: { title: 'Hello from our kitchen', privacyLevel: 'SELF_ONLY' },
    },
    idempotencyKey: null,
    metadata: null,
    timeline: [],
    ...fields,
  };
}

/** A job in the middle of its upload. */
export function uploadingJob(acceptedBytes: number, sentBytes = acceptedBytes, totalBytes = 48_000_000): PublishJob {
  return sampleJob({ state: 'uploading', progress: { totalBytes, sentBytes, acceptedBytes } });
}
