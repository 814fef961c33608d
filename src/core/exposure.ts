import { isFetchedByTikTok, mediaInUse } from './media-route.ts';
import type { PublishRequest } from './publish-request.ts';
import type { PublishState } from './publish-state.ts';
import type { Session } from './session.ts';

/**
 * How much TikTok may have of a post. Whether a job may begin another session, fail, be cancelled or be retried follows
 * from this alone.
 *
 * - `none`: TikTok has nothing of it, or only an upload session that nobody knows and that got no byte; also a lost init
 *   that the request allows to repeat
 * - `init_in_doubt`: an init was sent that publishes without an upload, and its answer is unknown; also an `unconfirmed`
 *   job without a publish_id
 * - `open`: an upload session that cannot publish yet, because its last chunk was never begun
 * - `may_appear`: TikTok may have everything; only its status may end the job
 * - `dead`: TikTok said that it published nothing of this publish_id
 */
export type Exposure = 'none' | 'init_in_doubt' | 'open' | 'may_appear' | 'dead';

export interface SessionFacts {
  readonly state: PublishState;
  readonly request: Pick<PublishRequest, 'media' | 'onLostInit'>;
  readonly fellBackAt?: number | undefined;
  readonly session: Session;
}

/** The exposure of a post. Nothing else derives it from the session. */
export function exposureOf(job: SessionFacts): Exposure {
  const { state, session } = job;
  switch (session.kind) {
    case 'none':
      // The post may exist, and we have no publish_id to query.
      return state === 'unconfirmed' ? 'init_in_doubt' : 'none';
    case 'init_sent': {
      // An upload whose publish_id we lost gets no byte. The request of a pull may allow another init.
      const publishesByItself = isFetchedByTikTok(mediaInUse(job)) && job.request.onLostInit !== 'repeat';
      return publishesByItself || state === 'unconfirmed' ? 'init_in_doubt' : 'none';
    }
    case 'upload':
      return session.lastChunkStartedAt !== undefined || isPastUpload(state) ? 'may_appear' : 'open';
    case 'fetch':
      return 'may_appear';
    case 'failed':
      return 'dead';
  }
}

/** States in which TikTok has, or may have, the whole video. */
function isPastUpload(state: PublishState): boolean {
  return state === 'processing' || state === 'published' || state === 'in_inbox' || state === 'unconfirmed';
}

/** Whether a post may be on TikTok, or may appear there without another call of ours. */
export function mightBePublished(exposure: Exposure): boolean {
  return exposure === 'may_appear' || exposure === 'init_in_doubt';
}
