import type { PublishError } from '../core/publish-error.ts';
import { END_EVENTS, type EndState } from '../core/publish-event.ts';
import { type PublishFailure, toFailure } from '../core/publish-job.ts';
import { endedSession, type Session, withoutUploadUrl } from '../core/session.ts';
import type { Change } from './change.ts';
import type { LedgerPatch, LedgerRecord } from './record.ts';

/** For a job that waits for nothing any more. */
export const NOT_WAITING: LedgerPatch = { waitingFor: undefined, waitingUntil: undefined, bookedSlot: undefined };

/** For a job of which TikTok may have everything: from `now` on its status is polled. */
export function nowProcessing(session: Session, now: number, nextPollAt: number): LedgerPatch {
  return { ...NOT_WAITING, session: withoutUploadUrl(session), processingSince: now, nextPollAt, pollCount: 0 };
}

/** An outcome, and what goes with it. */
export interface JobEnd {
  readonly to: EndState;
  readonly error?: PublishError | undefined;
  readonly postIds?: readonly string[] | undefined;
  /** TikTok's status, as sent. */
  readonly tiktokStatus?: string | undefined;
}

/** The change that ends a job, with its event. */
export function endChange(record: LedgerRecord, { to, error, postIds, tiktokStatus }: JobEnd, now: number): Change {
  const failure: PublishFailure | undefined = error === undefined ? undefined : toFailure(error);
  const session = endedSession(record.session, error?.details.publishFailed === true ? now : undefined);
  return {
    to,
    event: END_EVENTS[to],
    cause: {
      event: to,
      ...(failure !== undefined && { code: failure.code, message: failure.message }),
      ...(tiktokStatus !== undefined && { tiktokStatus }),
    },
    patch: {
      ...NOT_WAITING,
      endedAt: now,
      failure,
      postIds: postIds ?? record.postIds,
      // A failed upload may be resumed by hand while its URL lives.
      session: to === 'failed' ? session : withoutUploadUrl(session),
    },
  };
}
