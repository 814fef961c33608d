import type { ErrorCode } from './error-table.ts';
import { DURATION_TOLERANCE_SECONDS } from './media-rules.ts';
import type { PrivacyLevel } from './new-request.ts';
import type { PublishRequest } from './publish-request.ts';
import { countText } from './quantity-text.ts';

/** What TikTok allows a creator to post just now (content-posting-api-reference-query-creator-info, read 2026-11-22). */
export interface CreatorInfo {
  /** Name in the profile's URL; undefined: TikTok did not say. */
  readonly username: string | undefined;
  /** Name to show to the person who posts, as TikTok demands; undefined: TikTok did not say. */
  readonly nickname: string | undefined;
  /** URL of the profile picture, which works for two hours; undefined: TikTok did not say. */
  readonly avatarUrl: string | undefined;
  /** The levels to offer, and no others: each fits `post.privacyLevel`. */
  readonly privacyLevelOptions: readonly PrivacyLevel[];
  /** The creator allows no comments: offer no choice of them. */
  readonly commentDisabled: boolean;
  /** The creator allows no duets: offer no choice of them. */
  readonly duetDisabled: boolean;
  /** The creator allows no stitches: offer no choice of them. */
  readonly stitchDisabled: boolean;
  /** The longest video that the creator may post, in seconds; undefined: TikTok did not say. */
  readonly maxVideoDurationSeconds: number | undefined;
}

/** The part of it that is remembered: without what only a page shows. */
export type KnownCreator = Omit<CreatorInfo, 'nickname' | 'avatarUrl'>;

/** The part of it that a request is held against. */
export type CreatorLimits = Omit<KnownCreator, 'username'>;

/** What TikTok would do otherwise than asked. */
export interface CreatorNote {
  /** What of the request it concerns, such as `post.privacyLevel`. */
  readonly field: string;
  /** What is wrong this time, and what TikTok offers instead. */
  readonly reason: string;
}

interface CreatorProblem extends CreatorNote {
  readonly code: ErrorCode;
}

export interface CreatorFindings {
  readonly problems: readonly CreatorProblem[];
  /** What TikTok would do otherwise than asked, without refusing the post. */
  readonly notes: readonly CreatorNote[];
}

/**
 * Holds a direct post against what its creator may post. Whether TikTok has audited the app does not show here: the levels
 * follow the account's own visibility.
 * @param video `durationSeconds`: how long it is, if that is known
 * @example
 * checkCreatorRules(
 *   { post: { privacyLevel: 'PUBLIC_TO_EVERYONE' } },
 *   { privacyLevelOptions: ['SELF_ONLY'], commentDisabled: false, duetDisabled: false, stitchDisabled: false, maxVideoDurationSeconds: 300 },
 * ).problems[0]?.code; // 'TIKTOK_PRIVACY_MISMATCH'
 */
export function checkCreatorRules(
  { post = {} }: Pick<PublishRequest, 'post'>,
  limits: CreatorLimits,
  video: { readonly durationSeconds?: number | undefined } = {},
): CreatorFindings {
  const problems = [
    privacyProblem(post.privacyLevel, limits.privacyLevelOptions),
    durationProblem(video.durationSeconds, limits.maxVideoDurationSeconds),
  ];
  const notes = [
    noteOf('comments', 'disableComment', post, limits.commentDisabled),
    noteOf('duets', 'disableDuet', post, limits.duetDisabled),
    noteOf('stitches', 'disableStitch', post, limits.stitchDisabled),
  ];
  return {
    problems: problems.filter((problem) => problem !== undefined),
    notes: notes.filter((note) => note !== undefined),
  };
}

/** "privacy_level … should be one of the privacy_level_options" (content-posting-api-reference-direct-post). */
function privacyProblem(wanted: string | undefined, offered: readonly string[]): CreatorProblem | undefined {
  // No offer at all is no answer; the init itself will say.
  if (wanted === undefined || offered.length === 0 || offered.includes(wanted)) return undefined;
  const reason = `expected privacyLevel ${offered.join(' or ')} (the levels that TikTok currently offers for this account), got ${wanted}`;
  return { code: 'TIKTOK_PRIVACY_MISMATCH', field: 'post.privacyLevel', reason };
}

function durationProblem(
  durationSeconds: number | undefined,
  maxSeconds: number | undefined,
): CreatorProblem | undefined {
  if (durationSeconds === undefined || !maxSeconds) return undefined;
  if (durationSeconds <= maxSeconds + DURATION_TOLERANCE_SECONDS) return undefined;
  const reason = `expected a video of at most ${countText(maxSeconds, 'second')} (TikTok's limit for this creator), got ${Math.round(durationSeconds)}`;
  return { code: 'TIKTOK_MEDIA_DURATION', field: 'media.duration', reason };
}

/** Asked for in so many words and switched off by the creator: TikTok posts all the same, without it. */
function noteOf(
  what: string,
  setting: 'disableComment' | 'disableDuet' | 'disableStitch',
  post: Partial<Record<typeof setting, boolean | undefined>>,
  isDisabledByCreator: boolean,
): CreatorNote | undefined {
  if (post[setting] !== false || !isDisabledByCreator) return undefined;
  return { field: `post.${setting}`, reason: `the request allows ${what}, but this creator has disabled them` };
}
