import { exposureOf, type SessionFacts } from './exposure.ts';
import { isFetchedByTikTok } from './media-route.ts';
import { PublishError } from './publish-error.ts';
import type { PublishRequest } from './publish-request.ts';
import { isTerminal } from './publish-state.ts';

/** What decides whether a job has begun at TikTok. */
interface BeginFacts extends SessionFacts {
  readonly request: SessionFacts['request'] & Pick<PublishRequest, 'notAfter'>;
  readonly initCount: number;
}

/** `notAfter` of a job of which nothing can appear; ms since the epoch. */
function latestStart(job: BeginFacts): number | undefined {
  const { request, state, initCount } = job;
  if (request.notAfter === undefined || isTerminal(state) || exposureOf(job) !== 'none') return undefined;
  // An init whose answer was lost may have published, although the request lets it be repeated: also where the pull was
  // given up for an upload since.
  const mayAppear = initCount > 0 && request.onLostInit === 'repeat' && isFetchedByTikTok(request.media);
  return mayAppear ? undefined : Date.parse(request.notAfter);
}

/**
 * The error of a job that must not begin any more, for who is about to begin it.
 * @param now ms since the epoch
 */
export function overdueError(job: BeginFacts, now: number): PublishError | undefined {
  const latest = latestStart(job);
  if (latest === undefined || now < latest) return undefined;
  return new PublishError('JOB_OVERDUE', { reason: `the job had not begun by ${new Date(latest).toISOString()}` });
}

/** When somebody has to end the job unless it has begun by then (ms since the epoch); undefined while an init is under way. */
export function mustBeginBy(job: BeginFacts): number | undefined {
  return job.state === 'scheduled' || job.state === 'queued' ? latestStart(job) : undefined;
}
