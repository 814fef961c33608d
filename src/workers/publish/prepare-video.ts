import { exposureOf } from '../../core/exposure.ts';
import type { MediaFacts } from '../../core/media-facts.ts';
import { checkMediaRules } from '../../core/media-rules.ts';
import type { MediaSource } from '../../core/ports.ts';
import { findingText, refusalOf } from '../../core/preflight-finding.ts';
import { PublishError } from '../../core/publish-error.ts';
import { isSamePin } from '../../core/source-pin.ts';
import type { Needs } from '../deps.ts';
import type { OwnedJob } from '../owned-job.ts';
import { type ClaimDeps, claimVideo } from './check-duplicate.ts';

/**
 * Checks a video before an init is spent on it: what it is, whether it was posted before, and that nobody is still
 * writing it. After the upload has begun, only the second check is repeated.
 * @throws PublishError `INPUT_MEDIA_*`, `INPUT_DUPLICATE_VIDEO`, or an error of the source
 */
export async function prepareVideo(
  job: OwnedJob,
  source: MediaSource,
  deps: ClaimDeps & Needs<'probeMedia'>,
  signal: AbortSignal,
): Promise<void> {
  if (exposureOf(job.record) !== 'none') {
    await claimVideo(job, source, deps, signal);
    return;
  }
  try {
    await examineMedia(job, source, deps, signal);
    await claimVideo(job, source, deps, signal);
    await source.verifyUnchanged();
  } catch (error) {
    if (!(error instanceof PublishError)) throw error;
    const change = isChange(error) ? error : await changeOf(source);
    if (change === undefined) throw error;
    // The findings are void and nothing was sent: the job comes back and publishes what the file contains then.
    throw new PublishError('INPUT_MEDIA_BEING_WRITTEN', { reason: change.message }, { cause: error });
  }
}

async function changeOf(source: MediaSource): Promise<PublishError | undefined> {
  try {
    await source.verifyUnchanged();
    return undefined;
  } catch (error) {
    return isChange(error) ? error : undefined;
  }
}

function isChange(error: unknown): error is PublishError {
  return error instanceof PublishError && error.code === 'INPUT_MEDIA_CHANGED';
}

/**
 * Checks a video against TikTok's documented limits, before anything that costs a quota. The video is probed once; the
 * facts stay with the job as long as the source is the same.
 * @throws PublishError `INPUT_MEDIA_*` that TikTok would refuse it for, or an error of the source
 */
async function examineMedia(
  job: OwnedJob,
  source: MediaSource,
  { probeMedia, settings: { preflight } }: Needs<'probeMedia' | 'settings'>,
  signal: AbortSignal,
): Promise<void> {
  if (preflight === 'off') return;
  const { examined } = job.record;
  const isKnown = examined !== undefined && isSamePin(examined.pin, source.pin);
  const facts = isKnown ? examined.facts : (await probeMedia(source, { signal })).facts;
  const findings = checkMediaRules(facts, job.record.mode, job.around.facts.longestVideoSeconds?.value);
  if (!isKnown) {
    const remarks = [...(source.remarks ?? []), ...findings.map(findingText)];
    await job.commit({
      cause: { event: 'media_examined', ...summaryOf(facts), ...(remarks.length > 0 && { remarks }) },
      patch: { examined: { pin: source.pin, facts } },
    });
  }
  const refusal = preflight === 'refuse' ? refusalOf(findings) : undefined;
  if (refusal !== undefined) throw refusal;
}

/** The part for the timeline. */
function summaryOf({ container, durationSeconds, video }: MediaFacts) {
  return {
    container,
    ...(durationSeconds !== null && { durationSeconds }),
    ...(video !== null && {
      codec: video.codec ?? video.codecId,
      width: video.displayWidth,
      height: video.displayHeight,
      ...(video.frameRate !== null && { frameRate: Math.round(video.frameRate * 1_000) / 1_000 }),
    }),
  };
}
