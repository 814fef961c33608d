import fc from 'fast-check';
import { type HostileAnswer, hostileAnswers } from './hostile-answers.ts';

/** What TikTok does with one request. */
export interface HostileReply {
  /** Whether it carries the request out where its answer leaves that open. */
  readonly acts: boolean;
  /** It answers before it has read the request to its end, and then does not carry it out. */
  readonly isEarly: boolean;
  /** Bytes that may be no answer at all, or the right answer with changes. */
  readonly answer: HostileAnswer | Twist;
}

/** Changes of an answer that would be right. */
export interface Twist {
  readonly status: number | undefined;
  /** `error.code` of the envelope. */
  readonly code: string | undefined;
  /** A field of `data` as JSON, before or behind the right ones, whose name it may repeat. */
  readonly field: { readonly name: string; readonly json: string; readonly isFirst: boolean } | undefined;
  /** The data of another job's post. */
  readonly isOfOther: boolean;
  readonly headers: readonly string[];
  readonly delivery: HostileAnswer['delivery'];
  readonly part: number;
}

/** One job, and what TikTok does with its requests. After the last reply TikTok behaves. */
export interface HostilePlan {
  readonly mode: 'direct' | 'inbox';
  readonly media: 'one_chunk' | 'two_chunks' | 'pull';
  readonly mustRefresh: boolean;
  readonly replies: readonly HostileReply[];
  /** What comes of its complete posts, in their order; `undefined` and all later ones: they appear. */
  readonly failReasons: readonly (string | undefined)[];
  /** Status queries before TikTok is done with a post. */
  readonly processingPolls: number;
}

/** Codes with which TikTok refuses, by their HTTP status (error tables of the content-posting-api-reference pages). */
export const REFUSALS: readonly string[] = [
  ...['access_token_invalid', 'scope_not_authorized', 'scope_permission_missed', 'rate_limit_exceeded'],
  ...['spam_risk_too_many_posts', 'spam_risk_user_banned_from_posting', 'spam_risk_too_many_pending_share'],
  ...['reached_active_user_cap', 'invalid_param', 'invalid_params', 'invalid_file_upload', 'app_version_check_failed'],
  ...['url_ownership_unverified', 'invalid_publish_id', 'token_not_authorized_for_specified_publish_id'],
  ...['privacy_level_option_mismatch', 'unaudited_client_can_only_post_to_private_accounts', 'publish_not_cancellable'],
];
const OTHER_CODES = ['internal_error', '', 'OK', 'ok ', 'ok\u0000', 'success', 'unheard_of', '__proto__'];
const STATUSES = [
  ...[200, 201, 202, 204, 206, 301, 302, 304, 307, 400, 401, 403, 404, 408, 409, 413, 416, 429],
  ...[500, 502, 503, 504, 599],
];
const FIELDS = [
  ...['publish_id', 'upload_url', 'status', 'status', 'fail_reason', 'uploaded_bytes', 'downloaded_bytes'],
  ...['publicaly_available_post_id', 'privacy_level_options', 'access_token', 'refresh_token', 'expires_in', 'open_id'],
];
const VALUES = [
  ...['null', 'true', '-1', '0', '5', '1e999', '99999999999999999999', '"99999999999999999999"', '[]', '{}', '[[]]'],
  ...['""', '"\\u0000"', '"\\ud800"', '"{secret}"', '"https://169.254.169.254/"', '[99999999999999999999,0,"x"]'],
  ...['"PROCESSING_UPLOAD"', '"PUBLISH_COMPLETE"', '"SEND_TO_USER_INBOX"', '"FAILED"', '"publish_cancelled"'],
  ...['"internal"', '"failed"', '"\\u0000FAILED"', `"${'9'.repeat(5_000)}"`, `${'['.repeat(500)}${']'.repeat(500)}`],
];
const HEADERS = [
  ...['retry-after: 0', 'retry-after: 99999999999999999999', 'retry-after: x', 'connection: close', 'x: \u0000'],
  ...['content-range: bytes 0-99/100', 'content-range: bytes 0-0/0', 'content-range: bytes 0-4/5', 'content-type: x'],
  ...['content-range: bytes 0-99999999999999999999/99999999999999999999', 'content-encoding: gzip', 'location: /again'],
];

const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 1 });
const twist: fc.Arbitrary<Twist> = fc.record({
  status: maybe(fc.constantFrom(...STATUSES)),
  code: fc.option(fc.constantFrom(...REFUSALS, ...OTHER_CODES), { nil: undefined, freq: 2 }),
  field: maybe(
    fc.record({ name: fc.constantFrom(...FIELDS), json: fc.constantFrom(...VALUES), isFirst: fc.boolean() }),
  ),
  isOfOther: fc.nat(7).map((number) => number === 0),
  headers: fc.array(fc.constantFrom(...HEADERS), { maxLength: 1 }),
  delivery: fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom('whole' as const, 'whole' as const, 'pieces' as const) },
    { weight: 6, arbitrary: fc.constantFrom('end' as const, 'reset' as const) },
    { weight: 1, arbitrary: fc.constantFrom('silent' as const, 'drip' as const) },
  ),
  part: fc.double({ min: 0, max: 1, noNaN: true }),
});

const reply: fc.Arbitrary<HostileReply> = fc.record({
  acts: fc.boolean(),
  isEarly: fc.nat(9).map((number) => number === 0),
  answer: fc.oneof({ weight: 3, arbitrary: twist as fc.Arbitrary<HostileAnswer | Twist> }, hostileAnswers),
});

export const hostilePlans: fc.Arbitrary<HostilePlan> = fc.record({
  mode: fc.constantFrom('direct' as const, 'direct' as const, 'inbox' as const),
  media: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom('one_chunk' as const, 'pull' as const) },
    { weight: 1, arbitrary: fc.constant('two_chunks' as const) },
  ),
  mustRefresh: fc.nat(3).map((number) => number === 0),
  replies: fc.array(reply, { maxLength: 12, size: 'max' }),
  failReasons: fc.array(
    fc.option(fc.constantFrom('internal', 'video_pull_failed', 'spam_risk', 'publish_cancelled', 'unheard_of'), {
      nil: undefined,
      freq: 1,
    }),
    { maxLength: 2 },
  ),
  processingPolls: fc.nat(2),
});
