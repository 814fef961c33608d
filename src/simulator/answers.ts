import { stringify } from 'lossless-json';
import type { SimulatorSwitches } from './options.ts';
import { type SeededRandom, UPPER_HEX } from './random.ts';

/** One HTTP answer, ready to be written. `code` is what the journal notes. */
export interface Answer {
  httpStatus: number;
  headers: Record<string, string>;
  body: string;
  code?: string | undefined;
}

const GUIDELINES =
  'Please review our integration guidelines at https://developers.tiktok.com/doc/content-sharing-guidelines/';

/** HTTP status and message of each error code; messages as integrators report them from the live API. */
const REFUSALS = {
  access_token_invalid: [401, 'The access token is invalid or not found in the request.'],
  scope_not_authorized: [401, 'The user did not authorize the scope required for completing this request.'],
  rate_limit_exceeded: [429, 'The API rate limit was exceeded. Please try again later.'],
  invalid_params: [400, 'The request parameters are invalid.'],
  url_ownership_unverified: [403, 'Please review our URL ownership verification rules.'],
  privacy_level_option_mismatch: [403, GUIDELINES],
  unaudited_client_can_only_post_to_private_accounts: [403, GUIDELINES],
  spam_risk_too_many_posts: [403, GUIDELINES],
  spam_risk_user_banned_from_posting: [403, GUIDELINES],
  spam_risk_too_many_pending_share: [403, 'spam_risk_too_many_pending_share'],
  reached_active_user_cap: [403, GUIDELINES],
  invalid_publish_id: [400, 'The publish_id is invalid.'],
  token_not_authorized_for_specified_publish_id: [400, 'The access token is not authorized for this publish_id.'],
  publish_not_cancellable: [400, 'The publish cannot be cancelled.'],
  internal_error: [500, 'Something went wrong. Please try again later.'],
} as const satisfies Record<string, readonly [httpStatus: number, message: string]>;

export type RefusalCode = keyof typeof REFUSALS;

const OAUTH_ERRORS = {
  invalid_client: [401, 'Client key or secret is incorrect.'],
  invalid_grant: [400, 'The grant is invalid, expired or revoked.'],
  invalid_request: [400, 'The request parameters are malformed.'],
  unsupported_grant_type: [400, 'The grant type is not supported.'],
} as const satisfies Record<string, readonly [httpStatus: number, message: string]>;

export type OauthErrorCode = keyof typeof OAUTH_ERRORS;

/** Writes answers in TikTok's shapes. */
export class Answers {
  readonly #random: SeededRandom;
  readonly #switches: SimulatorSwitches;

  constructor(random: SeededRandom, switches: SimulatorSwitches) {
    this.#random = random;
    this.#switches = switches;
  }

  /** The success envelope; without `data` the field is left out. */
  ok(data?: Record<string, unknown>): Answer {
    const error = { code: 'ok', message: '', log_id: this.#logId() };
    return json(200, data === undefined ? { error } : { data, error }, 'ok');
  }

  /** The error envelope of the publishing endpoints. */
  refuse(code: RefusalCode, change: { message?: string; httpStatus?: number } = {}): Answer {
    const [httpStatus, message] = REFUSALS[code];
    const spelling = code === 'invalid_params' ? this.#switches.invalidParamsSpelling : code;
    return this.envelope(change.httpStatus ?? httpStatus, spelling, change.message ?? message);
  }

  /** An error envelope with any status, code and message. */
  envelope(httpStatus: number, code: string, message: string): Answer {
    const error = { code, message, log_id: this.#logId() };
    return json(httpStatus, this.#switches.errorData === 'empty' ? { data: {}, error } : { error }, code);
  }

  /** The flat error body of the OAuth endpoints. */
  oauthError(code: OauthErrorCode, description?: string): Answer {
    const [rfcStatus, message] = OAUTH_ERRORS[code];
    const httpStatus = this.#switches.oauthErrorStatus === '200' ? 200 : rfcStatus;
    return this.flatError(httpStatus, code, description ?? message);
  }

  /** A flat OAuth error with any status and code. */
  flatError(httpStatus: number, code: string, description: string): Answer {
    return json(httpStatus, { error: code, error_description: description, log_id: this.#logId() }, code);
  }

  #logId(): string {
    return `2026${this.#random.text(28, UPPER_HEX)}`;
  }
}

/** A JSON answer; a bigint becomes a bare number with all its digits. */
export function json(httpStatus: number, body: unknown, code?: string): Answer {
  return {
    httpStatus,
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: stringify(body) ?? '',
    code,
  };
}

/** An answer without a JSON body, as the upload servers give. */
export function plain(httpStatus: number, body: string, headers: Record<string, string> = {}): Answer {
  return { httpStatus, headers: { 'content-type': 'text/plain; charset=utf-8', ...headers }, body };
}
