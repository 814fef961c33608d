import type { Logger } from 'pino';
import { servedItemsOf } from '../core/media-route.ts';
import type { Clock, MediaSource, OpenMedia, Sealer } from '../core/ports.ts';
import { PublishError, toPublishError } from '../core/publish-error.ts';
import type { PublishRequest } from '../core/publish-request.ts';
import { isTerminal, type PublishState } from '../core/publish-state.ts';
import type { RequestSecrets } from '../core/request-secrets.ts';
import { isSamePin } from '../core/source-pin.ts';
import { openPullToken, type PullTarget } from './pull-links.ts';

/** Why a link leads to nothing. */
type PullRefusal =
  | 'expired'
  /** No job is known that names this file. */
  | 'unknown'
  /** The job has ended, is to be cancelled, or goes on by an upload. */
  | 'ended'
  /** The file is not the one that was checked, or cannot be read. */
  | 'gone'
  /** The file, or Redis, cannot be read now. */
  | 'busy';

/** Opens what a link leads to, once it is known to be ours; undefined: we did not make it. */
export type PullGateway = (token: string) => Promise<(() => Promise<MediaSource | PullRefusal>) | undefined>;

export interface PullGatewayDeps {
  /** The job as the ledger has it. @throws PublishError */
  readonly readJob: (id: string) => Promise<PulledJob | undefined>;
  readonly openMedia: OpenMedia;
  readonly requestSecrets: Pick<RequestSecrets, 'open'>;
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly log: Pick<Logger, 'warn'>;
}

interface PulledJob {
  readonly state: PublishState;
  readonly request: PublishRequest;
  readonly fellBackAt?: number | undefined;
  readonly cancelRequestedAt?: number | undefined;
}

/**
 * The one way by which TikTok reaches media through us: a link names a job, and the job says what may be read. Why a file
 * cannot be read goes to the log: whoever has the link learns nothing of our disks and hosts.
 */
export function createPullGateway({ sealer, log, ...deps }: PullGatewayDeps): PullGateway {
  async function open(target: PullTarget): Promise<MediaSource | PullRefusal> {
    try {
      return await openTarget(target, deps);
    } catch (error) {
      const { code, message: reason, row } = toPublishError(error);
      log.warn({ publishJobId: target.jobId, code, reason }, 'media not given to TikTok');
      return row.verdict === 'retry' ? 'busy' : 'gone';
    }
  }
  return async (token) => {
    const target = await openPullToken(token, sealer);
    return target && (async () => await open(target));
  };
}

async function openTarget(
  { jobId, index, pin, expiresAt }: PullTarget,
  { readJob, openMedia, requestSecrets, clock }: Omit<PullGatewayDeps, 'log' | 'sealer'>,
): Promise<MediaSource | PullRefusal> {
  const job = await readJob(jobId);
  if (job === undefined) return 'unknown';
  if (isTerminal(job.state) || (job.cancelRequestedAt ?? job.fellBackAt) !== undefined) return 'ended';
  if (clock.now() >= expiresAt) return 'expired';
  const { media } = await requestSecrets.open(job.request, jobId);
  const item = servedItemsOf(media)[index];
  if (item === undefined) return 'unknown';
  const source = await openMedia(item, media.type === 'photos' ? 'photo' : 'video');
  if (isSamePin(pin, source.pin)) return source;
  await source.close();
  throw new PublishError('INPUT_MEDIA_CHANGED');
}
