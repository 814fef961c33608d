import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import type { RawRequest } from './raw-http.ts';

/** What a hostile request may know. */
export interface Knowledge {
  /** A job that exists. */
  readonly id: string;
  readonly apiKey: string;
  readonly webhookSecret: string;
}

const { constant, constantFrom, oneof, option } = fc;
const junkText = oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  constantFrom('', '0', '-1', '1e999', 'null', '__proto__', 'a'.repeat(300), '../../etc/passwd', '{}', '*', '\u0000'),
);
/** Of what may stand in a header, and some that may not. */
const junkHeader = oneof(
  fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)), maxLength: 60 }),
  constantFrom('', '0-0', '0', '1-1', '99999999999999999999-0', 'k'.repeat(300), '\t', 'a\u0000b'),
);
const segment = oneof(
  junkText.map((text) => inAddress(text)),
  constantFrom(
    '%2f',
    '%00',
    '%zz',
    '..',
    '.',
    '%2e%2e',
    '%ff%fe',
    'x'.repeat(3_000),
    '%E6%BC%A2'.repeat(120),
    ';',
    '%25',
  ),
);

/** As an address has it; a lone surrogate cannot be written there. */
function inAddress(text: string): string {
  return encodeURIComponent(text.replace(/\p{Surrogate}/gu, '\ufffd'));
}

/** Where to, and mostly with a method that is known there. */
function targetOf({ id }: Knowledge): fc.Arbitrary<readonly [method: string, path: string]> {
  const job = oneof(constant(id), segment);
  const account = oneof(constant('acme'), segment);
  const to = (weight: number, method: string, path: fc.Arbitrary<string>) => ({
    weight,
    arbitrary: path.map((text) => [method, text] as const),
  });
  const known = oneof(
    to(12, 'POST', constant('/v1/publishes')),
    to(6, 'GET', constant('/v1/publishes')),
    to(
      4,
      'GET',
      fc.tuple(job, constantFrom('', '/events', '/')).map(([name, end]) => `/v1/publishes/${name}${end}`),
    ),
    to(
      4,
      'POST',
      fc.tuple(job, constantFrom('/cancel', '/retry')).map(([name, end]) => `/v1/publishes/${name}${end}`),
    ),
    to(
      6,
      'PUT',
      account.map((name) => `/v1/accounts/${name}`),
    ),
    to(
      3,
      'GET',
      fc.tuple(account, constantFrom('', '/creator')).map(([name, end]) => `/v1/accounts/${name}${end}`),
    ),
    to(
      3,
      'POST',
      fc.tuple(account, constantFrom('/pause', '/resume')).map(([name, end]) => `/v1/accounts/${name}${end}`),
    ),
    to(
      1,
      'DELETE',
      account.map((name) => `/v1/accounts/${name}`),
    ),
    to(2, 'POST', constant('/v1/accounts/connect-links')),
    to(2, 'GET', constantFrom('/v1/events', '/v1/accounts', '/openapi.json', '/connect/tiktok')),
    to(1, 'GET', constant('/connect/tiktok/callback')),
    to(6, 'POST', constant('/webhooks/tiktok')),
    to(
      1,
      'GET',
      segment.map((text) => `/${text}`),
    ),
  );
  const otherMethod = constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'TRACE', 'BREW', 'get');
  return oneof(
    { weight: 9, arbitrary: known },
    { weight: 1, arbitrary: fc.tuple(otherMethod, known).map(([method, [, path]]) => [method, path] as const) },
  );
}

const cursor = oneof(
  junkText,
  fc.json({ maxDepth: 2 }).map((text) => Buffer.from(text).toString('base64url')),
  fc.tuple(fc.double(), junkText).map((pair) => Buffer.from(JSON.stringify(pair)).toString('base64url')),
);
const query = option(
  fc
    .array(
      oneof(
        fc.tuple(constant('cursor'), cursor),
        fc.tuple(
          constantFrom('limit', 'state', 'account', 'code', 'error', 'link'),
          oneof(junkText, constantFrom('1', 'queued')),
        ),
        fc.tuple(junkText, junkText),
      ),
      { maxLength: 3 },
    )
    .map((pairs) => `?${pairs.map((pair) => pair.map((text) => inAddress(text)).join('=')).join('&')}`),
  { nil: '', freq: 2 },
);

const REQUEST = {
  account: 'acme',
  mode: 'direct',
  media: { type: 'pull', url: 'https://media.example.com/a.mp4' },
  post: { title: 'Hello', privacyLevel: 'SELF_ONLY', coverTimestampMs: 0 },
  scheduledAt: '2096-12-01T10:00:00Z',
  priority: 1,
  metadata: { a: 1 },
};
const LINK = { account: 'acme', returnTo: 'https://app.example.com/', expiresInMs: 60_000 };
const TOKENS = {
  openId: 'user-one',
  accessToken: 'act.one',
  expiresIn: 7_200,
  refreshToken: 'rft.one',
  scope: 'video.publish',
};
const REPORT = {
  client_key: 'simulator-client-key',
  event: 'post.publish.complete',
  create_time: 1_764_583_200,
  user_openid: 'user-one',
  content: '{"publish_id":"p"}',
};

const junkValue = oneof(
  fc.jsonValue({ maxDepth: 3 }),
  junkText,
  constantFrom<unknown>(
    { type: 'file', path: '/etc/passwd' },
    { type: 'file', path: '\u0000' },
    { type: 's3' },
    { force: 1 },
    1e308,
    -0,
    '\ud800',
    'x'.repeat(3_000),
  ),
);
/** A valid body of which one field is something else. */
const almostValid = fc
  .tuple(constantFrom<Record<string, unknown>>(REQUEST, TOKENS, LINK, REPORT), fc.nat(), junkValue)
  .map(([body, index, value]) => {
    const names = Object.keys(body);
    return { ...body, [names[index % names.length] ?? '']: value };
  });
const body = oneof(
  { weight: 2, arbitrary: constantFrom(REQUEST, TOKENS, LINK, REPORT, {}).map((value) => JSON.stringify(value)) },
  { weight: 5, arbitrary: almostValid.map((value) => JSON.stringify(value)) },
  { weight: 2, arbitrary: fc.json() },
  { weight: 1, arbitrary: almostValid.map((value) => JSON.stringify(value).slice(0, -3)) },
  {
    weight: 1,
    arbitrary: fc
      .nat(9_000)
      .map((levels) => `{"account":"acme","metadata":{"a":${'['.repeat(levels)}${']'.repeat(levels)}}}`),
  },
  {
    weight: 1,
    arbitrary: constantFrom(
      '',
      'null',
      '[]',
      '"',
      '{"__proto__":{"a":1}}',
      '{"constructor":{"prototype":{}}}',
      '{"force":true}',
      'x'.repeat(70_000),
      '\ufeff{}',
    ),
  },
).map((text) => Buffer.from(text));
const bytes = oneof(
  { weight: 9, arbitrary: body },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array)) },
);

/** Requests of all kinds of wrongness, some of them right, to the API and to where TikTok reports. */
export function hostileRequests(known: Knowledge): fc.Arbitrary<RawRequest> {
  const rarely = (header: fc.Arbitrary<string>) =>
    oneof({ weight: 9, arbitrary: constant(undefined) }, { weight: 1, arbitrary: header });
  const headers = fc.record(
    {
      authorization: oneof(
        { weight: 12, arbitrary: constant(`Bearer ${known.apiKey}`) },
        { weight: 1, arbitrary: junkHeader },
        { weight: 1, arbitrary: constant('Basic Og==') },
      ),
      'content-type': oneof(
        { weight: 8, arbitrary: constantFrom('application/json', 'application/json; charset=utf-8') },
        {
          weight: 1,
          arbitrary: constantFrom('text/plain', 'multipart/form-data', 'application/json; charset=utf-7', '', '/'),
        },
        { weight: 1, arbitrary: junkHeader },
      ),
      'idempotency-key': rarely(junkHeader),
      'last-event-id': rarely(junkHeader),
      origin: rarely(junkHeader),
      cookie: rarely(junkHeader),
      'tiktok-signature': oneof(
        junkHeader,
        fc.tuple(junkHeader, junkHeader).map(([time, hex]) => `t=${time},s=${hex}`),
      ),
    },
    { requiredKeys: ['authorization', 'content-type'] },
  );
  return fc
    .tuple(targetOf(known), query, headers, bytes, fc.boolean())
    .map(([[method, path], search, fields, content, isSigned]) => {
      const signed = isSigned && path.startsWith('/webhooks') ? { 'tiktok-signature': sign(content, known) } : {};
      const all = { host: '127.0.0.1', connection: 'close', ...fields, ...signed, 'content-length': content.length };
      const lines = Object.entries(all)
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => `${name}: ${value}`);
      return { head: [`${method} ${path}${search} HTTP/1.1`, ...lines].join('\r\n'), body: content };
    });
}

function sign(content: Buffer, { webhookSecret }: Knowledge): string {
  const seconds = Math.floor(Date.now() / 1_000);
  const hex = createHmac('sha256', webhookSecret).update(`${seconds}.`).update(content).digest('hex');
  return `t=${seconds},s=${hex}`;
}

/** Reports as TikTok sends them, signed as TikTok does, and of every kind of wrongness. */
export function hostileWebhooks(known: Knowledge): fc.Arbitrary<RawRequest> {
  const reported = fc
    .tuple(constantFrom(...Object.keys(REPORT)), oneof(junkValue, fc.json(), constant(undefined)))
    .map(([name, value]) => Buffer.from(JSON.stringify({ ...REPORT, [name]: value })));
  const event = constantFrom(
    ...['post.publish.complete', 'post.publish.failed', 'post.publish.no_longer_publicaly_available'],
    ...['authorization.removed', 'video.upload.failed', '__proto__', 'constructor'],
  ).map((name) => Buffer.from(JSON.stringify({ ...REPORT, event: name })));
  const large = fc
    .nat(120_000)
    .map((length) => Buffer.from(JSON.stringify({ ...REPORT, content: 'x'.repeat(length) })));
  const content = oneof(
    { weight: 6, arbitrary: reported },
    { weight: 3, arbitrary: event },
    { weight: 3, arbitrary: bytes },
    { weight: 1, arbitrary: large },
  );
  const signature = oneof(
    { weight: 6, arbitrary: constant('right') },
    { weight: 2, arbitrary: junkHeader },
    { weight: 1, arbitrary: fc.tuple(junkHeader, junkHeader).map(([time, hex]) => `t=${time},s=${hex}`) },
  );
  return fc.tuple(content, signature).map(([body, given]) => {
    const lines = [
      ...['POST /webhooks/tiktok HTTP/1.1', 'host: 127.0.0.1', 'connection: close', 'content-type: application/json'],
      `tiktok-signature: ${given === 'right' ? sign(body, known) : given}`,
      `content-length: ${body.length}`,
    ];
    return { head: lines.join('\r\n'), body };
  });
}
