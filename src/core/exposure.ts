import { isFetchedByTikTok, mediaInUse } from './media-route.ts';
import type { PublishRequest } from './publish-request.ts';
import type { PublishState } from './publish-state.ts';

/**
 * How much TikTok may have of a post. Whether a job may begin another session, fail, be cancelled or be retried follows
 * from this alone.
 *
 * - `none`: TikTok has nothing of it, or only an upload session that nobody knows and that got no byte
 * - `init_in_doubt`: an init was sent that publishes by itself, and its answer is unknown
 * - `open`: an upload session that cannot publish yet, because its last chunk was never begun
 * - `may_appear`: TikTok may have everything; only its status may end the job
 * - `dead`: TikTok said that it published nothing of this publish_id
 */
export type Exposure = 'none' | 'init_in_doubt' | 'open' | 'may_appear' | 'dead';

/** What is stored of a job's session at TikTok. Instants are ms since the epoch. */
export interface SessionFacts {
  readonly state: PublishState;
  readonly request: Pick<PublishRequest, 'media' | 'onLostInit'>;
  readonly fellBackAt?: number | undefined;
  /** Set before an init is sent, cleared when its answer is known. */
  readonly initIntendedAt?: number | undefined;
  readonly publishId?: string | undefined;
  /** Set before the first byte of the last chunk is sent. */
  readonly lastChunkStartedAt?: number | undefined;
  /** TikTok's status said FAILED. */
  readonly failedByTikTokAt?: number | undefined;
}

/** The exposure of a post: nothing else in this program reads it out of the session's facts. */
export function exposureOf(job: SessionFacts): Exposure {
  if (job.failedByTikTokAt !== undefined) return 'dead';
  const isFetched = isFetchedByTikTok(mediaInUse(job));
  if (job.publishId === undefined) {
    // The post may exist and there is no publish_id to ask about.
    if (job.state === 'unconfirmed') return 'init_in_doubt';
    // An upload whose publish_id nobody knows gets no byte. The caller of a pull may take a lost init for none.
    const isInDoubt = job.initIntendedAt !== undefined && isFetched && job.request.onLostInit !== 'repeat';
    return isInDoubt ? 'init_in_doubt' : 'none';
  }
  const isPastUpload =
    job.state !== 'uploading' && job.state !== 'queued' && job.state !== 'failed' && job.state !== 'cancelled';
  return isFetched || job.lastChunkStartedAt !== undefined || isPastUpload ? 'may_appear' : 'open';
}

/** Whether a post may be on TikTok, or come to be, without any further act of ours. */
export function mayAppear(exposure: Exposure): boolean {
  return exposure === 'may_appear' || exposure === 'init_in_doubt';
}
