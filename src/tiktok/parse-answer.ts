import { parse, parseNumberAndBigInt } from 'lossless-json';
import type { z } from 'zod';
import type { ErrorCode } from '../core/error-table.ts';
import { oauthErrorToErrorCode, tiktokCodeToErrorCode } from '../core/tiktok-codes.ts';
import { classifyMalformedAnswer, classifyRefusal, type RawAnswer } from './classify-error.ts';
import { envelopeWire, oauthErrorWire } from './wire.ts';
import { tokenCensor } from './without-secrets.ts';

/** The `data` of a successful answer, and the id under which TikTok logged the call. */
export interface ParsedAnswer<T> {
  readonly data: T;
  readonly logId: string | undefined;
}

/**
 * Reads an answer of the posting endpoints. It is a success if, and only if, `error.code` is "ok"
 * (content-posting-api-reference-direct-post); creator info sends errors with HTTP 200.
 *
 * @throws PublishError of TikTok's own code, or `TRANSPORT_BAD_ANSWER`
 */
export function parseEnvelope<T>(endpoint: string, answer: RawAnswer, dataWire: z.ZodType<T>): ParsedAnswer<T> {
  const envelope = envelopeWire.safeParse(parseExactJson(answer.text, answer.sentSecrets));
  if (!envelope.success) throw classifyMalformedAnswer(endpoint, answer, "TikTok's JSON envelope");
  const { error, data } = envelope.data;
  if (error.tiktokCode !== 'ok') throw classifyRefusal(endpoint, answer, error, refusalToErrorCode);
  const parsed = dataWire.safeParse(data);
  if (!parsed.success || !isSuccess(answer)) throw classifyMalformedAnswer(endpoint, answer, 'the documented data');
  return { data: parsed.data, logId: error.tiktokLogId };
}

/** A code that is not documented refuses only with a status that does: else TikTok may have acted. */
function refusalToErrorCode(tiktokCode: string, httpStatus: number): ErrorCode {
  const code = tiktokCodeToErrorCode(tiktokCode, httpStatus);
  return code === 'TIKTOK_UNKNOWN_ERROR' && httpStatus < 400 ? 'TRANSPORT_BAD_ANSWER' : code;
}

/**
 * Reads an answer of the OAuth endpoints: `error` comes first, since it is reported to come with HTTP 200 as well.
 * @throws PublishError `AUTH_*`, `TIKTOK_*` or `TRANSPORT_BAD_ANSWER`
 */
export function parseOauthAnswer<T>(endpoint: string, answer: RawAnswer, grantWire: z.ZodType<T>): T {
  const body = parseExactJson(answer.text, answer.sentSecrets);
  const refusal = oauthErrorWire.safeParse(body);
  if (refusal.success) throw classifyRefusal(endpoint, answer, refusal.data, oauthErrorToErrorCode);
  const grant = grantWire.safeParse(body);
  if (!grant.success || !isSuccess(answer)) throw classifyMalformedAnswer(endpoint, answer, 'the documented tokens');
  return grant.data;
}

function isSuccess({ httpStatus }: RawAnswer): boolean {
  return httpStatus >= 200 && httpStatus < 300;
}

/** A number that a double may not hold; also what looks like one within a string, which does no harm. */
const LONG_NUMBER = /[[:,]\s*-?\d{16}/;

/** Longest text of TikTok's that is read (UTF-16 units): the longest that is documented has some hundreds. */
const MAX_TEXT_CHARS = 16_384;
/** Fields that are secrets themselves. */
const SECRET_FIELDS = ['upload_url', 'access_token', 'refresh_token'];

/**
 * Reads JSON whose integers keep every digit: where one has 16 or more, all of them become bigint. That takes a parser that
 * is many times slower than Node's own.
 * Texts are cut at a length that none has, and tokens in them are taken out: an answer may repeat what was sent.
 * @returns undefined for what is not JSON, or too deep to be read
 */
export function parseExactJson(text: string, sentSecrets: readonly string[] = []): unknown {
  const withoutTokens = tokenCensor(sentSecrets);
  const shown = (name: string, value: unknown): unknown => {
    if (typeof value !== 'string') return value;
    const cut = value.slice(0, MAX_TEXT_CHARS);
    return SECRET_FIELDS.includes(name) ? cut : withoutTokens(cut);
  };
  try {
    return LONG_NUMBER.test(text) ? parse(text, shown, parseNumberAndBigInt) : JSON.parse(text, shown);
  } catch {
    return undefined;
  }
}
