import type { IncomingHttpHeaders } from 'node:http';
import type { AccountProfile } from './accounts.ts';
import type { Answer } from './answers.ts';
import type { Endpoint, FaultSubject } from './faults.ts';
import type { Publish } from './publishes.ts';
import type { World } from './world.ts';

export interface ApiRequest {
  method: string;
  url: URL;
  headers: IncomingHttpHeaders;
  body: string;
}

/** What a route did. */
export interface ApiResult {
  answer: Answer;
  /** Whom it concerned, where only the route itself can tell. */
  openId?: string;
  /** The publish that an init made. */
  publish?: Publish;
  grantType?: string;
}

/** One JSON or form endpoint. Adding an endpoint is one such object and one line in api-routes.ts. */
export interface ApiRoute {
  endpoint: Endpoint;
  method: 'POST' | 'GET';
  path: string;
  /** Whom a request concerns, as far as can be told before acting on it. */
  identify(world: World, request: ApiRequest): Pick<FaultSubject, 'openId' | 'publishId'>;
  act(world: World, request: ApiRequest): ApiResult;
}

/** One endpoint below `/v2/post/publish/`: what it demands before it looks at the body, and what it then does. */
interface PublishingCall extends Pick<ApiRoute, 'endpoint' | 'path'> {
  /** Any one of these will do. */
  scopes: readonly string[];
  /** Undefined where no limit is documented. */
  limit?: 'creatorInfoPerMinute' | 'initPerMinute' | 'statusPerMinute';
  act(world: World, account: AccountProfile, body: Record<string, unknown>): ApiResult;
}

/**
 * A route with the checks common to all publishing endpoints. The order auth, scope, rate, parameters is an assumption:
 * TikTok does not document one.
 */
export function publishingRoute(call: PublishingCall): ApiRoute {
  return {
    endpoint: call.endpoint,
    method: 'POST',
    path: call.path,
    identify: identifyCall,
    act(world, request) {
      const account = world.accounts.authenticate(bearerToken(request.headers) ?? '');
      if (account === undefined) return { answer: world.answers.refuse('access_token_invalid') };
      if (!call.scopes.some((scope) => account.scopes.includes(scope))) {
        return { answer: world.answers.refuse('scope_not_authorized') };
      }
      const throttled = throttle(world, call, account.openId);
      if (throttled !== undefined) return { answer: throttled };
      // "Content-Type: application/json; charset=UTF-8" is required; TikTok's own examples also omit the charset.
      if (!/^application\/json(\s*;\s*charset=utf-8)?$/i.test(request.headers['content-type'] ?? '')) {
        return { answer: world.answers.refuse('invalid_params', { message: 'The Content-Type is invalid' }) };
      }
      const body = parseObject(request.body);
      return body === undefined ? { answer: world.answers.refuse('invalid_params') } : call.act(world, account, body);
    },
  };
}

/** The open_id behind the bearer token, working or not, and the publish_id in the body. */
function identifyCall(world: World, request: ApiRequest) {
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
function throttle(world: World, { endpoint, limit }: PublishingCall, openId: string): Answer | undefined {
  if (limit === undefined) return undefined;
  const callsPerMinute = world.settings.limits[limit];
  if (callsPerMinute === Number.POSITIVE_INFINITY) return undefined;
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
