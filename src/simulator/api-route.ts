import type { IncomingHttpHeaders } from 'node:http';
import type { AccountProfile } from './accounts.ts';
import type { Answer } from './answers.ts';
import type { Endpoint } from './endpoints.ts';
import type { Publish } from './publishes.ts';
import type { World } from './world.ts';

export interface ApiRequest {
  method: string;
  url: URL;
  headers: IncomingHttpHeaders;
  body: string;
}

/** What a route did: its answer and whom it concerned. */
export interface ApiResult {
  answer: Answer;
  openId?: string;
  /** The publish that an init made. */
  publish?: Publish;
  grantType?: string;
}

/** Whom a request concerns, as far as can be told before acting on it. */
export interface ApiSubject {
  openId?: string | undefined;
  publishId?: string | undefined;
}

/** One JSON or form endpoint. Adding an endpoint is one such object and one line in api-routes.ts. */
export interface ApiRoute {
  endpoint: Endpoint;
  method: 'POST' | 'GET';
  path: string;
  identify(world: World, request: ApiRequest): ApiSubject;
  act(world: World, request: ApiRequest): ApiResult;
}

/** What a publishing endpoint demands before it looks at the body. */
export interface Demand {
  endpoint: Endpoint;
  /** Any one of these will do. */
  scopes: readonly string[];
  /** Undefined where no limit is documented. */
  callsPerMinute: number | undefined;
}

/** The caller and the JSON body, or the answer that refuses the call. */
export type Admission = { account: AccountProfile; body: Record<string, unknown> } | { refusal: Answer };

/**
 * Applies the checks common to all publishing endpoints. The order auth, scope, rate, parameters is an assumption:
 * TikTok does not document one.
 */
export function admit(world: World, request: ApiRequest, demand: Demand): Admission {
  const account = world.accounts.authenticate(bearerToken(request.headers) ?? '');
  if (account === undefined) return { refusal: world.answers.refuse('access_token_invalid') };
  if (!demand.scopes.some((scope) => account.scopes.includes(scope))) {
    return { refusal: world.answers.refuse('scope_not_authorized') };
  }
  const throttled = throttle(world, demand, account.openId);
  if (throttled !== undefined) return { refusal: throttled };
  // "Content-Type: application/json; charset=UTF-8" is required; TikTok's own examples also omit the charset.
  if (!/^application\/json(\s*;\s*charset=utf-8)?$/i.test(request.headers['content-type'] ?? '')) {
    return { refusal: world.answers.refuse('invalid_params', { message: 'The Content-Type is invalid' }) };
  }
  const body = parseObject(request.body);
  if (body === undefined) return { refusal: world.answers.refuse('invalid_params') };
  return { account, body };
}

/** The open_id behind the bearer token, working or not, and the publish_id in the body. */
export function identifyCall(world: World, request: ApiRequest): ApiSubject {
  const publishId = parseObject(request.body)?.publish_id;
  return {
    openId: world.accounts.ownerOfAccessToken(bearerToken(request.headers) ?? ''),
    publishId: typeof publishId === 'string' ? publishId : undefined,
  };
}

function bearerToken(headers: IncomingHttpHeaders): string | undefined {
  return /^Bearer (\S+)$/.exec(headers.authorization ?? '')?.[1];
}

/**
 * Quota is kept per user, so that a refreshed token does not bring a new one: the documentation says "per user access
 * token", and code that holds under this reading holds under the other too.
 */
function throttle(world: World, { endpoint, callsPerMinute }: Demand, openId: string): Answer | undefined {
  if (callsPerMinute === undefined || callsPerMinute === Number.POSITIVE_INFINITY) return undefined;
  const { retryAfter, throttledCallsUseQuota } = world.settings.switches;
  const now = world.now();
  const window = world.callsPerMinute(endpoint);
  const isOver = window.count(openId, now) >= callsPerMinute;
  const freeInMs = window.freeInMs(openId, callsPerMinute, now);
  if (!isOver || throttledCallsUseQuota) window.add(openId, now);
  if (!isOver) return undefined;
  const answer = world.answers.refuse('rate_limit_exceeded');
  if (retryAfter) answer.headers['retry-after'] = String(Math.ceil(freeInMs / 1_000));
  return answer;
}

/** The JSON object in `text`; an empty body counts as an empty object, as TikTok's creator_info example sends none. */
function parseObject(text: string): Record<string, unknown> | undefined {
  if (text === '') return {};
  try {
    const parsed: unknown = JSON.parse(text);
    return isObject(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
