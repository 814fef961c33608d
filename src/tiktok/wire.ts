import { z } from 'zod';
import { isPrivacyLevel } from '../core/post-limits.ts';
import { CENSORED } from './without-secrets.ts';

/*
 * What TikTok sends. Unknown fields are ignored, fields that real answers leave out are optional, and every doubtful
 * spelling is accepted. Long numbers arrive here as bigint, so that ids of 19 digits keep all of them.
 */

const text = z.string().min(1).optional().catch(undefined);
const flag = z.boolean().catch(false);
const digits = z.union([
  z.string().regex(/^\d{1,64}$/),
  z.union([z.bigint().nonnegative(), z.int().nonnegative()]).transform(String),
]);
const count = z
  .union([z.bigint(), z.number(), z.string().regex(/^\d{1,15}$/)])
  .transform(Number)
  .pipe(z.int().nonnegative());

/** `error` of an envelope; `log_id` in real answers, `logid` in the field tables. */
const errorWire = z
  .object({ code: z.string(), message: text, log_id: text, logid: text })
  .transform(({ code, message, log_id, logid }) => ({
    tiktokCode: code,
    tiktokMessage: message,
    tiktokLogId: log_id ?? logid,
  }));

export type Refusal = Readonly<z.output<typeof errorWire>>;

/** The envelope of all `/v2/post/publish/` answers; `data` is `{}` or absent on errors. */
export const envelopeWire = z.object({ data: z.unknown().optional(), error: errorWire });

/** At most 64 characters by the documentation. One that repeats a token could not be stored. */
const publishId = z
  .string()
  .min(1)
  .max(512)
  .refine((id) => !id.includes(CENSORED));

/** `data` of an init; `upload_url` only for FILE_UPLOAD. */
export const initWire = z
  .object({ publish_id: publishId, upload_url: text })
  .transform((data) => ({ publishId: data.publish_id, uploadUrl: data.upload_url }));

/** A publish_id stands for one post; more ids than this are none of ours. */
const MAX_POST_IDS = 100;

/** A list of post ids; 0 and empty stand for none. */
const postIdsWire = z
  .array(digits)
  .nullish()
  .transform((ids) => (ids ?? []).slice(0, MAX_POST_IDS).filter((id) => /[1-9]/.test(id)));

/** `data` of a status fetch; TikTok's own spelling is `publicaly`. */
export const statusWire = z
  .object({
    status: z.string().min(1).max(200),
    fail_reason: text,
    publicaly_available_post_id: postIdsWire,
    publicly_available_post_id: postIdsWire,
    uploaded_bytes: count.optional().catch(undefined),
    downloaded_bytes: count.optional().catch(undefined),
  })
  .transform((data) => ({
    /** As sent. */
    rawStatus: data.status,
    failReason: data.fail_reason,
    /** Exact decimal digits; empty until a public post has passed moderation, and for good if it is not public. */
    postIds: [...new Set([...data.publicaly_available_post_id, ...data.publicly_available_post_id])],
    uploadedBytes: data.uploaded_bytes,
    downloadedBytes: data.downloaded_bytes,
  }));

/** `data` of a creator info query. */
export const creatorInfoWire = z
  .object({
    creator_username: text,
    creator_nickname: text,
    creator_avatar_url: text,
    privacy_level_options: z.array(z.string()),
    comment_disabled: flag,
    duet_disabled: flag,
    stitch_disabled: flag,
    max_video_post_duration_sec: count.optional().catch(undefined),
  })
  .transform((data) => ({
    username: data.creator_username,
    nickname: data.creator_nickname,
    avatarUrl: data.creator_avatar_url,
    // A level that no request can ask for is of no use to a page.
    privacyLevelOptions: [...new Set(data.privacy_level_options.filter(isPrivacyLevel))],
    commentDisabled: data.comment_disabled,
    duetDisabled: data.duet_disabled,
    stitchDisabled: data.stitch_disabled,
    maxVideoDurationSeconds: data.max_video_post_duration_sec,
  }));

/** Answers without `data` that matters. */
export const nothingWire = z.unknown().transform(() => undefined);

/** A token answer of OAuth: flat, no envelope. */
export const tokenGrantWire = z
  .object({
    access_token: z.string().min(1),
    expires_in: count,
    refresh_token: z.string().min(1),
    refresh_expires_in: count,
    open_id: z.string().min(1),
    scope: z.string().catch(''),
  })
  .transform((grant) => ({
    accessToken: grant.access_token,
    expiresInSeconds: grant.expires_in,
    /** A new one at each refresh; the one before may stop working. */
    refreshToken: grant.refresh_token,
    refreshExpiresInSeconds: grant.refresh_expires_in,
    openId: grant.open_id,
    /** Comma list of what the user granted. */
    scope: grant.scope,
  }));

/** An OAuth error, which comes with any HTTP status: flat by the documentation, enveloped from other gateways. */
export const oauthErrorWire = z.union([
  z.object({ error: z.string().min(1), error_description: text, log_id: text, logid: text }).transform((body) => ({
    tiktokCode: body.error,
    tiktokMessage: body.error_description,
    tiktokLogId: body.log_id ?? body.logid,
  })),
  z.object({ error: errorWire.refine(({ tiktokCode }) => tiktokCode !== 'ok') }).transform(({ error }) => error),
]);
