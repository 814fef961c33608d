import type { SimulatorSwitches } from './options.ts';

/** A rule of TikTok's contract that a client can meet or break. */
interface Rule {
  /** What a client does that meets it. */
  says: string;
  /** TikTok's page, below developers.tiktok.com/doc/, and the day it was read. */
  source: readonly [page: string, readOn: string];
  /** What must happen before the rule can be met or broken. */
  exercisedBy: string;
  /** The switch that the judgement depends on, where TikTok's page leaves it open. */
  reading?: keyof SimulatorSwitches;
}

const DIRECT = ['content-posting-api-reference-direct-post', '2026-11-22'] as const;
const PHOTO = ['content-posting-api-reference-photo-post', '2026-11-22'] as const;
const TRANSFER = ['content-posting-api-media-transfer-guide', '2026-11-22'] as const;
const STATUS = ['content-posting-api-reference-get-video-status', '2026-11-22'] as const;
const GUIDELINES = ['content-sharing-guidelines', '2026-11-22'] as const;
const OAUTH = ['oauth-user-access-token-management', '2026-11-22'] as const;

/** Every rule that the simulator judges, in the order of a report. */
export const RULES = {
  path: {
    says: "Every path is one of TikTok's, with the slash at its end.",
    source: DIRECT,
    exercisedBy: 'any call',
  },
  authorization: {
    says: 'Calls of /v2/post/publish/ carry `Authorization: Bearer <access token>`.',
    source: DIRECT,
    exercisedBy: 'any call of /v2/post/publish/',
  },
  'content-type': {
    says: 'Calls of /v2/post/publish/ are `application/json`, calls of /v2/oauth/ `application/x-www-form-urlencoded`.',
    source: DIRECT,
    exercisedBy: 'any call but an upload',
  },
  scope: {
    says: 'A token is used only for what its user granted: video.publish, video.upload.',
    source: ['tiktok-api-scopes', '2026-11-22'],
    exercisedBy: 'any call of /v2/post/publish/',
  },
  'calls-per-minute': {
    says: 'No more calls per user and minute than TikTok allows: 6 of each init, 30 for status, 20 for creator_info.',
    source: DIRECT,
    exercisedBy: 'an init, a status query or a creator query',
  },
  'oauth-fields': {
    says: "OAuth calls carry the app's key and secret, and the fields of their grant.",
    source: OAUTH,
    exercisedBy: 'a call of /v2/oauth/',
  },
  'newest-refresh-token': {
    says: 'A refresh token that a refresh has replaced is not used again.',
    source: OAUTH,
    exercisedBy: 'a refresh of a token',
  },
  'request-fields': {
    says: 'The body has the required fields, with values that the reference allows.',
    source: DIRECT,
    exercisedBy: 'an init, a status query or a cancel',
  },
  'creator-asked': {
    says: 'creator_info is asked before an account is posted to directly.',
    source: GUIDELINES,
    exercisedBy: 'a direct post',
  },
  'privacy-offered': {
    says: 'A direct post has a privacy_level that creator_info offers for its creator.',
    source: DIRECT,
    exercisedBy: 'a direct post',
  },
  'branded-visibility': {
    says: 'Branded content is not posted with SELF_ONLY.',
    source: GUIDELINES,
    exercisedBy: 'a direct post with brand_content_toggle',
    reading: 'brandedSelfOnly',
  },
  'text-length': {
    says: 'Texts fit, in UTF-16 units: 2200 for the title of a video, 90 and 4000 for title and description of photos.',
    source: DIRECT,
    exercisedBy: 'a post with a title or a description',
  },
  'photo-list': {
    says: 'Photos are 1 to 35 URLs to pull from, and photo_cover_index is one of them, from 0.',
    source: PHOTO,
    exercisedBy: 'a post of photos',
  },
  'file-size': {
    says: 'A video has at most 4 GB.',
    source: TRANSFER,
    exercisedBy: 'an init with FILE_UPLOAD',
    reading: 'megabyte',
  },
  'chunk-size-max': {
    says: 'chunk_size is at most 64 MB, so that a larger video goes up in several chunks.',
    source: TRANSFER,
    exercisedBy: 'an init with FILE_UPLOAD',
    reading: 'megabyte',
  },
  'chunk-size-min': {
    says: 'chunk_size is at least 5 MB, unless the video goes up in one chunk.',
    source: TRANSFER,
    exercisedBy: 'an init with FILE_UPLOAD and several chunks',
    reading: 'megabyte',
  },
  'chunk-count': {
    says: 'total_chunk_count is video_size divided by chunk_size, rounded down; what remains goes into the last chunk.',
    source: TRANSFER,
    exercisedBy: 'an init with FILE_UPLOAD',
  },
  'one-chunk': {
    says: 'Where one chunk is all, chunk_size is video_size.',
    source: TRANSFER,
    exercisedBy: 'an init with FILE_UPLOAD and one chunk',
  },
  'last-chunk': {
    says: 'The last chunk has 1 byte to 128 MB.',
    source: TRANSFER,
    exercisedBy: 'an init with FILE_UPLOAD and several chunks',
    reading: 'megabyte',
  },
  'put-headers': {
    says: 'A PUT has Content-Type video/mp4, video/quicktime or video/webm, its Content-Length, and Content-Range: bytes FIRST-LAST/TOTAL.',
    source: TRANSFER,
    exercisedBy: 'a PUT',
  },
  'put-as-announced': {
    says: 'A chunk has exactly the bytes that init announced.',
    source: TRANSFER,
    exercisedBy: 'a PUT',
  },
  'put-in-order': {
    says: 'Chunks go up one after the other; none is left out.',
    source: TRANSFER,
    exercisedBy: 'a PUT',
  },
  'put-alone': {
    says: 'No chunk is sent while another one of the same upload is under way.',
    source: TRANSFER,
    exercisedBy: 'a PUT',
  },
  'resume-after-416': {
    says: 'After a 416 the upload goes on at the byte that TikTok has, not with the refused chunk.',
    source: TRANSFER,
    exercisedBy: 'a PUT after a 416; a lost answer to a chunk leads some clients there',
    reading: 'contentRangeOn416',
  },
  'upload-url-expired': {
    says: 'An upload URL that answered 403 is not used again.',
    source: TRANSFER,
    exercisedBy: 'a PUT more than an hour after init',
  },
  'pull-https': {
    says: 'URLs to pull from are https.',
    source: TRANSFER,
    exercisedBy: 'an init with PULL_FROM_URL',
    reading: 'pullUrlRules',
  },
  'pull-verified': {
    says: 'URLs to pull from are below a verified domain or prefix.',
    source: TRANSFER,
    exercisedBy: 'an init with PULL_FROM_URL',
    reading: 'pullUrlRules',
  },
  'pull-answers-200': {
    says: 'URLs to pull from answer 200 with the file; redirects are not followed.',
    source: TRANSFER,
    exercisedBy: 'a pull, with the option fetchPulls',
  },
  'photo-format': {
    says: 'Photos are JPEG or WebP of at most 20 MB.',
    source: TRANSFER,
    exercisedBy: 'a pull of photos, with the option fetchPulls',
  },
  'video-length': {
    says: 'A video is not longer than its creator may post.',
    source: GUIDELINES,
    exercisedBy: 'a complete MP4 or MOV',
    reading: 'directDuration',
  },
  'own-publish-id': {
    says: 'Status and cancel are asked with the token of the user whose publish_id it is.',
    source: STATUS,
    exercisedBy: 'a status query or a cancel',
  },
  'outcome-learnt': {
    says: 'The outcome of a post is learnt: by status queries to the end, or by a webhook that is answered 200.',
    source: STATUS,
    exercisedBy: 'a publish that has come to its end',
  },
  'posted-once': {
    says: 'The same media with the same text is not posted twice to an account: each init makes a new post.',
    source: DIRECT,
    exercisedBy: 'a post; script lost answers to inits and to last chunks',
  },
} as const satisfies Record<string, Rule>;

export type RuleId = keyof typeof RULES;

/** What one thing that happened says about one rule. */
export interface Check {
  rule: RuleId;
  /** What broke it, with the numbers sent and those that fit; undefined where it was met. */
  broken?: string | undefined;
  /** The only reading under which it is broken, such as `megabyte: decimal`. */
  under?: string | undefined;
}

/** Says of one thing that happened whether it met a rule: `broken` tells what broke it. */
export function check(rule: RuleId, broken?: string | false): Check {
  return { rule, broken: broken === false ? undefined : broken };
}

/** The rules that something broke, for its entry in the journal; undefined: none. */
export function brokenRules(checks: readonly Check[]): RuleId[] | undefined {
  const broken = checks.filter((one) => one.broken !== undefined).map(({ rule }) => rule);
  return broken.length === 0 ? undefined : broken;
}
