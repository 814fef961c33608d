import { mediaInUse, servedItemsOf } from '../core/media-route.ts';
import type { Clock, MediaSource, OpenMedia, Sealer } from '../core/ports.ts';
import type { PublishRequest } from '../core/publish-request.ts';
import { isTerminal, type PublishState } from '../core/publish-state.ts';
import type { RequestSecrets } from '../core/request-secrets.ts';
import { isSamePin } from '../core/source-pin.ts';
import { openPullToken } from './pull-links.ts';

/** Why a link leads to nothing. */
type PullRefusal =
  /** We did not make it. */
  | 'invalid'
  | 'expired'
  /** No job is known that names this file. */
  | 'unknown'
  /** The job has ended, or goes on by an upload. */
  | 'ended'
  /** The file is not the one that was checked. */
  | 'changed';

/** Opens what a link leads to. @throws PublishError of the source, of the ledger, and `CONFIG_KEY_UNKNOWN` */
export type OpenPulled = (token: string) => Promise<MediaSource | PullRefusal>;

export interface PullGatewayDeps {
  /** The job as the ledger has it. */
  readonly readJob: (id: string) => Promise<PulledJob | undefined>;
  readonly openMedia: OpenMedia;
  readonly requestSecrets: Pick<RequestSecrets, 'open'>;
  readonly sealer: Sealer;
  readonly clock: Clock;
}

interface PulledJob {
  readonly id: string;
  readonly state: PublishState;
  readonly request: PublishRequest;
  readonly fellBackAt?: number | undefined;
}

/** The one way by which TikTok reaches media through us: a link names a job, and the job says what may be read. */
export function createPullGateway({ readJob, openMedia, requestSecrets, sealer, clock }: PullGatewayDeps): OpenPulled {
  return async (token) => {
    const target = await openPullToken(token, sealer);
    if (target === undefined) return 'invalid';
    const job = await readJob(target.jobId);
    if (job === undefined) return 'unknown';
    if (isTerminal(job.state) || job.fellBackAt !== undefined) return 'ended';
    if (clock.now() >= target.expiresAt) return 'expired';
    const media = mediaInUse({ request: await requestSecrets.open(job.request, job.id) });
    const item = servedItemsOf(media)[target.index];
    if (item === undefined) return 'unknown';
    const source = await openMedia(item, media.type === 'photos' ? 'photo' : 'video');
    if (isSamePin(target.pin, source.pin)) return source;
    await source.close();
    return 'changed';
  };
}
