import { isErrorCode } from '../../core/error-table.ts';
import type { MediaFacts } from '../../core/media-facts.ts';
import { checkMediaRules } from '../../core/media-rules.ts';
import type { MediaSource } from '../../core/ports.ts';
import { findingText } from '../../core/preflight-finding.ts';
import { PublishError } from '../../core/publish-error.ts';
import { isSamePin } from '../../core/source-pin.ts';
import type { Needs } from '../deps.ts';
import type { OwnedJob } from '../owned-job.ts';

/**
 * Checks a video against TikTok's documented limits, before anything that costs a quota. The video is probed once; the
 * facts stay with the job as long as the source is the same.
 * @throws PublishError `INPUT_MEDIA_*` that TikTok would refuse it for, or an error of the source
 */
export async function examineMedia(
  job: OwnedJob,
  source: MediaSource,
  { probeMedia, settings: { preflight } }: Needs<'probeMedia' | 'settings'>,
  signal: AbortSignal,
): Promise<void> {
  if (preflight === 'off') return;
  const { examined } = job.record;
  const isKnown = examined !== undefined && isSamePin(examined.pin, source.pin);
  const facts = isKnown ? examined.facts : (await probeMedia(source, { signal })).facts;
  const findings = checkMediaRules(facts);
  if (!isKnown) {
    const remarks = [...(source.remarks ?? []), ...findings.map(findingText)];
    await job.commit({
      cause: { event: 'media_examined', ...summaryOf(facts), ...(remarks.length > 0 && { remarks }) },
      patch: { examined: { pin: source.pin, facts } },
    });
  }
  const refusals = findings.filter(({ severity }) => severity === 'refuse');
  const code = refusals[0]?.code;
  if (preflight !== 'refuse' || code === undefined || !isErrorCode(code)) return;
  throw new PublishError(code, { reason: refusals.map(findingText).join('; ') });
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
