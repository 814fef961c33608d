import { z } from 'zod';
import type { ApiRequest, ApiResult } from './api-route.ts';
import { CHUNK_RULE_ENTRIES, type FileSource, SIZE_LIMITS } from './chunk-rules.ts';
import { type Check, check, type RuleId } from './conformance-rules.ts';
import { offeredPrivacyLevels } from './creator-caps.ts';
import type { Endpoint } from './faults.ts';
import { announcedFile } from './source-info.ts';
import { isLetOff } from './start-publish.ts';
import type { World } from './world.ts';

/** A call and what came of it. */
export interface JudgedCall {
  endpoint: Endpoint;
  request: ApiRequest;
  openId: string | undefined;
  /** What the endpoint answered; undefined where a fault answered or broke the connection before it could act. */
  result: ApiResult | undefined;
}

const text = z.string().optional().catch(undefined);
const bodyWire = z.object({
  post_mode: text,
  post_info: z
    .object({
      title: text,
      description: text,
      privacy_level: text,
      brand_content_toggle: z.boolean().optional().catch(undefined),
    })
    .catch({}),
  source_info: z
    .object({
      source: text,
      video_url: text,
      photo_images: z.array(z.string()).optional().catch(undefined),
      photo_cover_index: z.int().optional().catch(undefined),
    })
    .catch({}),
});

type Body = z.output<typeof bodyWire>;

/** A chunk size that fits every file over 64 MB, under both readings. */
const SAFE_CHUNK_BYTES = 32_000_000;

/** Rules whose breach explains an `invalid_params`. */
const PARAMETER_RULES: ReadonlySet<string> = new Set<RuleId>([
  ...CHUNK_RULE_ENTRIES.map(([id]) => id),
  ...(['content-type', 'branded-visibility', 'text-length', 'photo-list', 'pull-https'] as const),
]);
const LIMITED: ReadonlySet<Endpoint> = new Set(['creator_info', 'video_init', 'inbox_init', 'content_init', 'status']);
const INITS: ReadonlySet<Endpoint> = new Set(['video_init', 'inbox_init', 'content_init']);
const AUTH_REFUSALS: ReadonlySet<string> = new Set(['access_token_invalid', 'scope_not_authorized']);

/** What a JSON or form call says about the rules of the contract. */
export function judgeCall(world: World, call: JudgedCall): Check[] {
  const { endpoint, openId } = call;
  if (endpoint === 'authorize') return [check('path')];
  if (endpoint === 'token' || endpoint === 'revoke') return [check('path'), ...judgeOauth(world, call)];
  const checks = [check('path'), ...judgeHeaders(call), ...judgeAnswer(call)];
  if (INITS.has(endpoint)) checks.push(...judgeInit(world, call));
  if (endpoint === 'creator_info' && openId !== undefined) world.conformance.askedCreators.add(openId);
  // What no other rule explains.
  const code = call.result?.answer.code;
  if (endpoint === 'creator_info' || code === undefined || isBefore(code)) return checks;
  const isRefused = /^invalid_params?$/.test(code);
  if (isRefused && checks.some(({ rule, broken }) => broken !== undefined && PARAMETER_RULES.has(rule))) return checks;
  return [...checks, check('request-fields', isRefused && `${endpoint}: ${messageOf(call)}`)];
}

function judgeHeaders({ request: { headers } }: JudgedCall): Check[] {
  const { authorization, 'content-type': contentType } = headers;
  const isBearer = /^Bearer \S+$/.test(authorization ?? '');
  const isJson = /^application\/json(\s*;\s*charset=utf-8)?$/i.test(contentType ?? '');
  return [
    check('authorization', !isBearer && (authorization === undefined ? 'no such header' : 'not `Bearer <token>`')),
    check('content-type', !isJson && `got ${contentType ?? 'none'}`),
  ];
}

/** What only the answer tells: limits, scopes, whose publish it is. */
function judgeAnswer({ endpoint, openId, result }: JudgedCall): Check[] {
  const code = result?.answer.code;
  if (code === undefined || code === 'access_token_invalid') return [];
  const checks = [check('scope', code === 'scope_not_authorized' && `${endpoint} of ${openId}`)];
  if (AUTH_REFUSALS.has(code)) return checks;
  if (LIMITED.has(endpoint)) {
    checks.push(check('calls-per-minute', code === 'rate_limit_exceeded' && `${endpoint} of ${openId}`));
  }
  if ((endpoint === 'status' || endpoint === 'cancel') && !isBefore(code)) {
    checks.push(
      check('own-publish-id', code.startsWith('token_not_authorized') && `${endpoint} with a token of ${openId}`),
    );
  }
  return checks;
}

function judgeInit(world: World, { endpoint, request, openId, result }: JudgedCall): Check[] {
  const parsed = bodyWire.safeParse(parse(request.body));
  if (!parsed.success) return [];
  const body = parsed.data;
  const isPhotos = endpoint === 'content_init';
  const isDirect = endpoint === 'video_init' || body.post_mode === 'DIRECT_POST';
  const file = announcedFile(parse(request.body)?.source_info);
  return [
    ...(file === undefined || isPhotos ? [] : judgePlan(file)),
    ...(isDirect ? judgeDirect(world, body, openId) : []),
    ...judgeTexts(endpoint, body),
    ...(isPhotos ? judgePhotos(body) : []),
    ...judgePull(world, body, result),
  ];
}

/** Each chunk rule, under both readings of MB. */
function judgePlan(plan: FileSource): Check[] {
  const { totalBytes, chunkSizeBytes, chunkCount } = plan;
  const sent = `video_size ${totalBytes}, chunk_size ${chunkSizeBytes}, total_chunk_count ${chunkCount}`;
  const told = (fault: string) => `${sent}: ${fault}${fitting(totalBytes)}`;
  return CHUNK_RULE_ENTRIES.filter(([, rule]) => rule.applies(plan)).map(([id, rule]): Check => {
    const decimal = rule.fault(plan, SIZE_LIMITS.decimal);
    const binary = rule.fault(plan, SIZE_LIMITS.binary);
    const fault = decimal ?? binary;
    if (fault === undefined) return check(id);
    const isEither = decimal !== undefined && binary !== undefined;
    return {
      ...check(id, told(fault)),
      under: isEither ? undefined : `megabyte: ${decimal === undefined ? 'binary' : 'decimal'}`,
    };
  });
}

/** Sizes that TikTok takes for this file under every reading. */
function fitting(totalBytes: number): string {
  if (totalBytes > SIZE_LIMITS.intersection.maxBytes) return '';
  const isWhole = totalBytes <= SIZE_LIMITS.intersection.maxChunkBytes;
  const chunkSizeBytes = isWhole ? totalBytes : SAFE_CHUNK_BYTES;
  return `; chunk_size ${chunkSizeBytes}, total_chunk_count ${Math.floor(totalBytes / chunkSizeBytes)} fit`;
}

function judgeDirect(world: World, { post_info: post }: Body, openId: string | undefined): Check[] {
  const { privacy_level: level, brand_content_toggle: isBranded } = post;
  const checks: Check[] = [];
  const account = openId === undefined ? undefined : world.accounts.get(openId);
  if (account !== undefined) {
    const offered = offeredPrivacyLevels(world, account);
    const isOffered = level !== undefined && offered.includes(level);
    checks.push(
      check('privacy-offered', !isOffered && `${level ?? 'no privacy_level'}; offered: ${offered.join(', ')}`),
    );
    const isAsked = world.conformance.askedCreators.has(account.openId);
    checks.push(check('creator-asked', !isAsked && `creator_info of ${account.openId} was never asked`));
  }
  if (isBranded === true && world.settings.switches.brandedSelfOnly === 'refuse') {
    checks.push(check('branded-visibility', level === 'SELF_ONLY' && 'brand_content_toggle with SELF_ONLY'));
  }
  return checks;
}

function judgeTexts(endpoint: Endpoint, { post_info: { title, description } }: Body): Check[] {
  // The inbox takes no texts for videos; what is sent is ignored.
  if (endpoint === 'inbox_init' || (title === undefined && description === undefined)) return [];
  const maxTitle = endpoint === 'content_init' ? 90 : 2_200;
  const tooLong = [
    ...((title?.length ?? 0) > maxTitle ? [`title of ${title?.length} units is over ${maxTitle}`] : []),
    ...(endpoint === 'content_init' && (description?.length ?? 0) > 4_000
      ? [`description of ${description?.length} units is over 4000`]
      : []),
  ];
  return [check('text-length', tooLong.length > 0 && tooLong.join(', '))];
}

function judgePhotos({ source_info: source }: Body): Check[] {
  const { photo_images: photos = [], photo_cover_index: cover } = source;
  const isRight =
    source.source === 'PULL_FROM_URL' &&
    photos.length >= 1 &&
    photos.length <= 35 &&
    cover !== undefined &&
    cover >= 0 &&
    cover < photos.length;
  const sent = `source ${source.source}, ${photos.length} photos, photo_cover_index ${cover}`;
  return [check('photo-list', !isRight && sent)];
}

function judgePull(world: World, { source_info: source }: Body, result: ApiResult | undefined): Check[] {
  if (source.source !== 'PULL_FROM_URL' || world.settings.switches.pullUrlRules === 'off') return [];
  const urls = source.photo_images ?? (source.video_url === undefined ? [] : [source.video_url]);
  const isFine = (url: string) => /^https:/i.test(url) || (URL.canParse(url) && isLetOff(new URL(url), world.settings));
  const other = urls.find((url) => !isFine(url));
  const checks = [check('pull-https', other !== undefined && `got ${hostOf(other)}`)];
  const code = result?.answer.code;
  if (code === 'ok' || code === 'url_ownership_unverified') {
    checks.push(check('pull-verified', code !== 'ok' && `one of ${[...new Set(urls.map(hostOf))].join(', ')} is not`));
  }
  return checks;
}

function judgeOauth(world: World, { endpoint, request, result }: JudgedCall): Check[] {
  const contentType = request.headers['content-type'];
  const isForm = /^application\/x-www-form-urlencoded\b/i.test(contentType ?? '');
  const checks = [check('content-type', !isForm && `got ${contentType ?? 'none'}`)];
  const code = result?.answer.code;
  if (code === undefined || !isForm) return checks;
  const isMalformed = ['invalid_client', 'invalid_request', 'unsupported_grant_type'].includes(code);
  checks.push(check('oauth-fields', isMalformed && `${endpoint}: ${code}`));
  const owner = world.accounts.replacedRefreshTokens.get(new URLSearchParams(request.body).get('refresh_token') ?? '');
  if (code === 'ok') return result?.grantType === 'refresh_token' ? [...checks, check('newest-refresh-token')] : checks;
  // Whose answer with the new token got lost has only the old one.
  const isLost = (openId: string) =>
    world.journal.requests({ endpoint: 'token', openId }).some(({ httpStatus }) => typeof httpStatus !== 'number');
  if (owner === undefined || isLost(owner)) return checks;
  return [...checks, check('newest-refresh-token', `a replaced refresh token of ${owner}`)];
}

/** Whether a call was refused before its body was looked at. */
function isBefore(code: string): boolean {
  return AUTH_REFUSALS.has(code) || code === 'rate_limit_exceeded';
}

/** Scheme and host, without path and query, which may hold a signature. */
function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : 'no URL';
}

function parse(body: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function messageOf({ result }: JudgedCall): string {
  const { error } = z.object({ error: z.object({ message: text }) }).parse(JSON.parse(result?.answer.body ?? '{}'));
  return error.message ?? '';
}
