import type { AccountTokens, FaultRule, Simulator } from '../../../src/simulator/index.ts';
import type { Misbehaviour } from '../../support/hostile-media-server.ts';

/** Stands for what was sent, credentials included. */
const ECHO = '{request}';
const HTML = `<html><body><h1>Bad gateway</h1>${ECHO}</body></html>`;
const HTML_HEADERS = { 'content-type': 'text/html; charset=utf-8' };

/** The TikTok user whose job gets into trouble. */
interface Victim {
  readonly simulator: Simulator;
  readonly tokens: AccountTokens;
  /** Scripts a fault for every request of this user to an endpoint. */
  fault(endpoint: FaultRule['endpoint'], act: FaultRule['act']): void;
}

/** One way for a job to go well or wrong, in which TikTok repeats as many credentials as it can. */
export interface Trouble {
  readonly media?: 'small' | 'large' | 'pull';
  /** A video from a server that does this, under a presigned URL with user and password. */
  readonly web?: Misbehaviour;
  readonly mode?: 'direct' | 'inbox';
  arrange(victim: Victim): void;
  /** What the job shows once it has happened. */
  readonly shows: RegExp;
}

const refused = (httpStatus: number, code: string) =>
  ({ kind: 'status', httpStatus, code, message: `You sent ${ECHO}` }) as const;
const html = (httpStatus: number) => ({ kind: 'raw', httpStatus, body: HTML, headers: HTML_HEADERS }) as const;

/** An access token that has run out, and what TikTok says to its refresh. */
function refreshMeets(act: FaultRule['act']): Trouble['arrange'] {
  return ({ simulator, tokens, fault }) => {
    simulator.expireAccessToken(tokens.openId);
    fault('token', act);
  };
}

/** By the names of their accounts. */
export const TROUBLES: Readonly<Record<string, Trouble>> = {
  'all-well': { arrange: () => undefined, shows: /"state":"published"/ },
  'all-well-in-chunks': { media: 'large', mode: 'inbox', arrange: () => undefined, shows: /"state":"in_inbox"/ },
  'token-refreshed': {
    arrange: ({ simulator, tokens }) => simulator.expireAccessToken(tokens.openId),
    shows: /"state":"published"/,
  },
  'creator-refused': {
    arrange: ({ fault }) => fault('creator_info', refused(403, 'spam_risk_user_banned_from_posting')),
    shows: /TIKTOK_USER_BANNED/,
  },
  'creator-html': { arrange: ({ fault }) => fault('creator_info', html(500)), shows: /"state":"published"/ },
  'init-refused': {
    arrange: ({ fault }) => fault('video_init', refused(403, 'spam_risk_user_banned_from_posting')),
    shows: /TIKTOK_USER_BANNED/,
  },
  'init-refused-with-token-as-code': {
    arrange: ({ fault, tokens }) => fault('video_init', refused(400, tokens.accessToken)),
    shows: /TIKTOK_UNKNOWN_ERROR/,
  },
  'init-html': { arrange: ({ fault }) => fault('video_init', html(502)), shows: /TIKTOK_INTERNAL/ },
  'init-half-json': {
    arrange: ({ fault }) => fault('video_init', { kind: 'raw', httpStatus: 200, body: `{"data":"${ECHO}` }),
    shows: /TRANSPORT_BAD_ANSWER/,
  },
  'init-token-refused': {
    arrange: ({ fault }) => fault('video_init', refused(401, 'access_token_invalid')),
    shows: /access_token_invalid/,
  },
  'init-too-often': {
    arrange: ({ fault }) => fault('video_init', refused(429, 'rate_limit_exceeded')),
    shows: /TIKTOK_RATE_LIMITED/,
  },
  'init-dropped': { arrange: ({ fault }) => fault('video_init', { kind: 'drop_after' }), shows: /TRANSPORT_NO_ANSWER/ },
  'inbox-refused': {
    mode: 'inbox',
    arrange: ({ fault }) => fault('inbox_init', refused(400, 'invalid_params')),
    shows: /TIKTOK_INVALID_PARAMS/,
  },
  'pull-lost': {
    media: 'pull',
    arrange: ({ fault }) => fault('video_init', { kind: 'drop_after' }),
    shows: /"state":"unconfirmed"/,
  },
  'pull-refused': {
    media: 'pull',
    arrange: ({ fault }) => fault('video_init', refused(403, 'url_ownership_unverified')),
    shows: /TIKTOK_URL_UNVERIFIED/,
  },
  'upload-400': { arrange: ({ fault }) => fault('upload', refused(400, 'x')), shows: /UPLOAD_CHUNK_REFUSED/ },
  'upload-403': { arrange: ({ fault }) => fault('upload', html(403)), shows: /UPLOAD_URL_EXPIRED/ },
  'upload-404': { arrange: ({ fault }) => fault('upload', html(404)), shows: /UPLOAD_TASK_MISSING/ },
  'upload-302': { arrange: ({ fault }) => fault('upload', html(302)), shows: /UPLOAD_UNEXPECTED_ANSWER/ },
  'upload-503': { media: 'large', arrange: ({ fault }) => fault('upload', html(503)), shows: /UPLOAD_SERVER_ERROR/ },
  'upload-dropped': {
    media: 'large',
    arrange: ({ fault }) => fault('upload', { kind: 'drop_mid_body', afterBytes: 1_000_000 }),
    shows: /TRANSPORT_NO_ANSWER/,
  },
  'upload-answer-lost': {
    arrange: ({ fault }) => fault('upload', { kind: 'drop_after' }),
    shows: /"state":"published"/,
  },
  'web-all-well': { web: 'honest', arrange: () => undefined, shows: /"state":"published"/ },
  'web-login': { web: 'unauthorized', arrange: () => undefined, shows: /INPUT_MEDIA_ACCESS_REFUSED/ },
  'web-forbidden': { web: 'forbidden', arrange: () => undefined, shows: /INPUT_MEDIA_ACCESS_REFUSED/ },
  'web-expired': { web: 'expired', arrange: () => undefined, shows: /INPUT_MEDIA_URL_EXPIRED/ },
  'web-elsewhere': { web: 'to-loopback', arrange: () => undefined, shows: /OUTBOUND_HOST_REFUSED/ },
  'web-resets': { web: 'resets-always', arrange: () => undefined, shows: /TRANSPORT_MEDIA_INTERRUPTED/ },
  'web-changes': { web: 'lies-later', arrange: () => undefined, shows: /INPUT_MEDIA_BEING_WRITTEN/ },
  'web-upload-400': {
    web: 'honest',
    arrange: ({ fault }) => fault('upload', refused(400, 'x')),
    shows: /UPLOAD_CHUNK_REFUSED/,
  },
  'status-refused': {
    arrange: ({ fault }) => fault('status', refused(400, 'invalid_params')),
    shows: /"poll_failed".*TIKTOK_INVALID_PARAMS/,
  },
  'status-html': { arrange: ({ fault }) => fault('status', html(500)), shows: /"poll_failed".*TIKTOK_INTERNAL/ },
  'status-with-a-talkative-reason': {
    arrange: ({ fault, tokens }) =>
      fault('upload', { kind: 'fail_processing', failReason: `no rights: ${tokens.accessToken}` }),
    shows: /TIKTOK_FAILED_UNKNOWN_REASON/,
  },
  'refresh-refused': { arrange: refreshMeets(refused(400, 'invalid_grant')), shows: /reauthorization/ },
  'refresh-refused-with-200': { arrange: refreshMeets(refused(200, 'invalid_client')), shows: /AUTH_CLIENT_REFUSED/ },
  'refresh-html': { arrange: refreshMeets(html(500)), shows: /TIKTOK_INTERNAL/ },
  'refresh-dropped': { arrange: refreshMeets({ kind: 'drop_after' }), shows: /TRANSPORT_NO_ANSWER/ },
};
