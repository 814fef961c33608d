import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { SECOND_MS } from '../core/units.ts';
import { parseExactJson } from './parse-answer.ts';

/** What TikTok reports on its own (webhooks-overview and webhooks-events, read 2026-11-22). */
export interface TikTokWebhook {
  /** The app it is meant for. */
  readonly clientKey: string;
  /** As sent, such as `post.publish.complete` or `authorization.removed`. */
  readonly event: string;
  /** The user it is about. */
  readonly openId: string;
  /** When it happened (ms since the epoch, to the second). */
  readonly createdAt: number;
  readonly publishId: string | undefined;
  /** Exact decimal digits. */
  readonly postId: string | undefined;
  /** A `fail_reason`, or the number of why an authorization was removed. */
  readonly reason: string | undefined;
}

/** Post ids and reasons come as numbers or as strings; ids have more digits than a double holds. */
const looseText = z.union([z.string(), z.bigint(), z.number()]).transform(String).optional().catch(undefined);

const envelopeWire = z.object({
  client_key: z.string().catch(''),
  event: z.string().min(1),
  create_time: z.union([z.bigint(), z.number()]).transform(Number),
  user_openid: z.string().catch(''),
  content: z.union([z.string(), z.record(z.string(), z.unknown())]).catch(''),
});
const contentWire = z.object({ publish_id: looseText, post_id: looseText, reason: looseText });

/**
 * Whether TikTok signed this body: `TikTok-Signature: t=<seconds>,s=<hex>`, where s is the HMAC-SHA256 of
 * `<t>.<raw body>` with the client secret (webhooks-verification, read 2026-11-22). Its age is not judged: TikTok
 * repeats for 72 hours and does not say whether it signs each try, so callers check the time of the event itself.
 */
export function isSignedByTikTok(signature: string | undefined, rawBody: Buffer, clientSecret: string): boolean {
  const fields = new Map((signature ?? '').split(',').map((field) => splitOnce(field.trim())));
  const seconds = fields.get('t') ?? '';
  if (!isNumber(seconds)) return false;
  const given = Buffer.from(fields.get('s') ?? '', 'hex');
  const expected = createHmac('sha256', clientSecret).update(`${seconds}.`).update(rawBody).digest();
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function isNumber(digits: string): boolean {
  return (
    digits !== '' && Number.isSafeInteger(Number(digits)) && Number(digits) >= 0 && String(Number(digits)) === digits
  );
}

/** Reads a webhook's body, whose `content` is JSON within JSON. @returns undefined for what is none */
export function parseWebhook(rawBody: Buffer): TikTokWebhook | undefined {
  const envelope = envelopeWire.safeParse(parseExactJson(rawBody.toString('utf8')));
  if (!envelope.success) return undefined;
  const { client_key: clientKey, event, create_time: createTime, user_openid: openId, content } = envelope.data;
  const fields = contentWire.safeParse(typeof content === 'string' ? parseExactJson(content) : content);
  const { publish_id: publishId, post_id: postId, reason } = fields.data ?? {};
  return { clientKey, event, openId, createdAt: createTime * SECOND_MS, publishId, postId, reason };
}

function splitOnce(field: string): [string, string] {
  const at = field.indexOf('=');
  return at < 0 ? [field, ''] : [field.slice(0, at), field.slice(at + 1)];
}
