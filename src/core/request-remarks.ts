import type { PreflightFinding } from './preflight-finding.ts';
import type { PublishRequest } from './publish-request.ts';
import { SECOND_MS } from './units.ts';

/** What TikTok takes over into a draft of photos; into a draft of a video it takes nothing over. */
const KEPT_IN_PHOTO_DRAFTS: readonly string[] = ['title', 'description', 'aiGenerated'];

const WARNING = { severity: 'warn', limit: null } as const;

/**
 * What TikTok does not take over of a request that it accepts.
 * @param durationSeconds of the video, if that is known
 */
export function remarksOn(request: PublishRequest, durationSeconds: number | null): PreflightFinding[] {
  return request.mode === 'inbox'
    ? ignoredFields(request)
    : [...coverNotShown(request), ...coverBeyondEnd(request, durationSeconds)];
}

function ignoredFields({ media, post = {} }: PublishRequest): PreflightFinding[] {
  const isIgnored = (field: string) => media.type !== 'photos' || !KEPT_IN_PHOTO_DRAFTS.includes(field);
  return Object.keys(post)
    .filter(isIgnored)
    .map((field) => ({
      ...WARNING,
      code: 'FIELD_IGNORED',
      field: `post.${field}`,
      found: 'a draft, which TikTok takes without this field',
      advice: 'Remove it: the creator chooses it in the TikTok app. Or publish with mode "direct".',
    }));
}

/** Integrators report that TikTok keeps the first frame of posts that are not public; no page says so. */
function coverNotShown({ post = {} }: PublishRequest): PreflightFinding[] {
  const { coverTimestampMs, privacyLevel } = post;
  if (coverTimestampMs === undefined || privacyLevel === 'PUBLIC_TO_EVERYONE') return [];
  return [
    {
      ...WARNING,
      code: 'COVER_NOT_SHOWN',
      field: 'post.coverTimestampMs',
      limit: 'privacyLevel PUBLIC_TO_EVERYONE',
      found: String(privacyLevel),
      advice:
        'Other developers report that TikTok shows the first frame as the cover of such posts. Nothing else changes.',
    },
  ];
}

function coverBeyondEnd({ post = {} }: PublishRequest, durationSeconds: number | null): PreflightFinding[] {
  const { coverTimestampMs } = post;
  if (coverTimestampMs === undefined || durationSeconds === null) return [];
  const endMs = Math.round(durationSeconds * SECOND_MS);
  if (coverTimestampMs < endMs) return [];
  return [
    {
      ...WARNING,
      code: 'COVER_BEYOND_END',
      field: 'post.coverTimestampMs',
      limit: `a time before the end of the video, at ${endMs} ms`,
      found: `${coverTimestampMs} ms`,
      advice: 'Choose a time within the video. TikTok does not document which frame it takes otherwise.',
    },
  ];
}
