import type { MediaFacts } from '../core/media-facts.ts';
import { isFetchedByTikTok } from '../core/media-route.ts';
import { checkMediaRules } from '../core/media-rules.ts';
import type { OpenMedia, ProbeMedia } from '../core/ports.ts';
import { CHECKED, notChecked, type PartReport } from '../core/preflight-report.ts';
import { PublishError } from '../core/publish-error.ts';
import type { PublishRequest } from '../core/publish-request.ts';
import { failureFinding } from './failure-finding.ts';

/** Opens a request's video and holds it against TikTok's limits. */
export async function checkMedia(
  { media }: PublishRequest,
  { openMedia, probeMedia }: { readonly openMedia: OpenMedia; readonly probeMedia: ProbeMedia },
): Promise<PartReport & { readonly facts: MediaFacts | null }> {
  if (isFetchedByTikTok(media)) {
    return { findings: [], part: notChecked('TikTok downloads the media itself'), facts: null };
  }
  try {
    const source = await openMedia(media);
    try {
      const { facts } = await probeMedia(source);
      return { findings: checkMediaRules(facts), part: CHECKED, facts };
    } finally {
      await source.close();
    }
  } catch (error) {
    if (!(error instanceof PublishError)) throw error;
    return { findings: [failureFinding(error, 'media')], part: CHECKED, facts: null };
  }
}
