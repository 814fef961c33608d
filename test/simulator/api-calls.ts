import { request } from 'undici';
import type { AccountTokens, Simulator } from '../../src/simulator/index.ts';

/** What a call got back, the body both as text and parsed. */
export interface Reply {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  json: Record<string, unknown>;
}

export interface CallOptions {
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

export const PATHS = {
  creator_info: '/v2/post/publish/creator_info/query/',
  video_init: '/v2/post/publish/video/init/',
  inbox_init: '/v2/post/publish/inbox/video/init/',
  content_init: '/v2/post/publish/content/init/',
  status: '/v2/post/publish/status/fetch/',
  cancel: '/v2/post/publish/cancel/',
} as const;

/** POSTs JSON as a well-behaved client does. */
export function call(
  simulator: Simulator,
  account: Pick<AccountTokens, 'accessToken'>,
  endpoint: keyof typeof PATHS,
  body: unknown,
  options: CallOptions = {},
): Promise<Reply> {
  return send(`${simulator.url}${PATHS[endpoint]}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${account.accessToken}`,
      'content-type': 'application/json; charset=UTF-8',
      ...options.headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
}

/** POSTs a form to an OAuth endpoint with the app's credentials. */
export function callOauth(
  simulator: Simulator,
  endpoint: 'token' | 'revoke',
  fields: Record<string, string>,
): Promise<Reply> {
  const form = { client_key: simulator.clientKey, client_secret: simulator.clientSecret, ...fields };
  return send(`${simulator.url}/v2/oauth/${endpoint}/`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(form).toString(),
  });
}

/** PUTs bytes `startByte`… of a file of `totalBytes` to an upload URL. */
export function put(
  uploadUrl: string,
  bytes: Buffer,
  startByte: number,
  totalBytes: number,
  options: CallOptions = {},
): Promise<Reply> {
  return send(uploadUrl, {
    method: 'PUT',
    headers: {
      'content-type': 'video/mp4',
      'content-range': `bytes ${startByte}-${startByte + bytes.length - 1}/${totalBytes}`,
      ...options.headers,
    },
    body: bytes,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
}

export function send(url: string, options: Parameters<typeof request>[1]): Promise<Reply> {
  return request(url, options).then(async ({ statusCode, headers, body }) => {
    const text = await body.text();
    return { status: statusCode, headers, text, json: parseObject(text) };
  });
}

/** `source_info` of a file sent in one chunk. */
export function wholeFile(totalBytes: number) {
  return { source: 'FILE_UPLOAD', video_size: totalBytes, chunk_size: totalBytes, total_chunk_count: 1 };
}

/** The body of a direct post that every rule allows. */
export function directPost(totalBytes = 100, postInfo: Record<string, unknown> = {}) {
  return { post_info: { privacy_level: 'SELF_ONLY', ...postInfo }, source_info: wholeFile(totalBytes) };
}

/** A field of `data` as text; empty when it is absent. */
export function dataText(reply: Reply, field: string): string {
  const { data } = reply.json;
  const value = isObject(data) ? data[field] : undefined;
  return typeof value === 'string' ? value : '';
}

/** The `error.code` of a publishing endpoint, or the flat `error` of an OAuth endpoint. */
export function errorCode(reply: Reply): string {
  const { error } = reply.json;
  if (typeof error === 'string') return error;
  return isObject(error) ? String(error.code) : '';
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(text);
    return isObject(parsed) ? parsed : {};
  } catch {
    return {};
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
