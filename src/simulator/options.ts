import { z } from 'zod';

/**
 * What TikTok's documentation leaves open, one switch per question. The defaults are the strict reading; run your
 * tests under the others too. docs/simulator.md lists them, and a test compares that list with this one.
 */
export const switchesSchema = z.strictObject({
  /** What "MB" means in the chunk rules: only sizes legal under both readings, 10^6 or 2^20. */
  megabyte: z.enum(['intersection', 'decimal', 'binary']).default('intersection'),
  /** What the upper end of the reply header `Content-Range: bytes 0-N/TOTAL` is. */
  contentRangeReading: z.enum(['last-index', 'count']).default('last-index'),
  /** Whether a 416 tells the accepted range. */
  contentRangeOn416: z.enum(['progress', 'absent']).default('progress'),
  /** The answer to a chunk that was accepted before: 416, or success without effect. */
  repeatedChunk: z.enum(['416', 'success']).default('416'),
  /** Whether a 429 carries `Retry-After`. */
  retryAfter: z.boolean().default(false),
  /** Whether a call answered 429 still uses up the quota. */
  throttledCallsUseQuota: z.boolean().default(false),
  /** `data` in an error answer: an empty object, or no such field. */
  errorData: z.enum(['empty', 'absent']).default('empty'),
  /** HTTP status of OAuth errors: 200 as reported by integrators, or 400 and 401 as RFC 6749 has it. */
  oauthErrorStatus: z.enum(['200', 'rfc']).default('200'),
  /** Whether access tokens issued before a refresh go on working until they expire. */
  oldAccessTokens: z.enum(['valid', 'invalid']).default('valid'),
  /** Whether a refresh starts the refresh token's lifetime anew. */
  refreshLifetimeRestarts: z.boolean().default(true),
  /** Branded content with SELF_ONLY privacy. */
  brandedSelfOnly: z.enum(['refuse', 'accept']).default('refuse'),
  /** Whether a publish that failed still counts against the daily caps. */
  failedPublishesCount: z.boolean().default(true),
  /** Cancelling an upload by FILE_UPLOAD: documented for pulls only. */
  cancelFileUpload: z.enum(['refuse', 'accept']).default('refuse'),
  /** Spelling of the code for bad parameters: as the live API has it, or as the documentation. */
  invalidParamsSpelling: z.enum(['invalid_params', 'invalid_param']).default('invalid_params'),
  /** What a pulled video's status is between the end of the download and the outcome. */
  pullProcessingStatus: z.enum(['PROCESSING_DOWNLOAD', 'PROCESSING_UPLOAD']).default('PROCESSING_DOWNLOAD'),
  /** Status fields: empty ones left out as real answers do, or all present as the documentation's example shows. */
  statusFields: z.enum(['omit-empty', 'all']).default('omit-empty'),
  /** When an upload that never got its bytes turns FAILED / internal, counted from init. */
  abandonedUploadFailsAfterMs: z.int().min(0).default(7_200_000),
  /** For how long after init a publish_id is still answered `invalid_publish_id`. */
  publishIdUnknownForMs: z.int().min(0).default(0),
  /** After how long a publish_id is forgotten; 0 is never. */
  publishIdLifetimeMs: z.int().min(0).default(0),
  /** The event of a post that became public; the pages of 2023 and 2026 differ. */
  publicWebhookSpelling: z.enum(['publicly_available', 'publicaly_available']).default('publicly_available'),
  /**
   * How long a direct post may be: as `max_video_post_duration_sec` has it, or no more than the 600 s that are documented
   * for drafts.
   */
  directDuration: z.enum(['ten-minutes', 'creator']).default('ten-minutes'),
  /** What creator_info offers an unaudited app: what the account's own visibility allows, or SELF_ONLY alone. */
  unauditedPrivacyLevels: z.enum(['account', 'self-only']).default('account'),
  /** Whose cover frame counts: of PUBLIC_TO_EVERYONE posts only, as an integrator reports, or of every post. */
  coverFrame: z.enum(['public-only', 'all']).default('public-only'),
  /** Whether a draft frees its place in the inbox when the creator posts it, or only after 24 h. */
  postedDraftFreesPlace: z.boolean().default(true),
  /** Whether a pulled file is asked for at once, or in ranges, each on condition that it is still the same. */
  pullRequests: z.enum(['whole', 'ranges']).default('whole'),
  /**
   * The rules for URLs of PULL_FROM_URL: TikTok's (`enforce`); the same, but http and an IP address will do on this machine
   * (`loopback`); or none (`off`): http, and hosts that nobody verified.
   */
  pullUrlRules: z.enum(['enforce', 'loopback', 'off']).default('enforce'),
});

/** Where webhooks go, and how badly. */
export const webhookTargetSchema = z.strictObject({
  url: z.url({ protocol: /^https?$/ }),
  /** Chance from 0 to 1 that an event is sent twice. */
  duplicates: z.number().min(0).max(1).default(0),
  /** Until the first repetition of what was not answered with 200; each further one waits twice as long. */
  firstRetryMs: z.int().min(1).default(60_000),
});

/** Where webhooks go; `duplicates` and `firstRetryMs` may be left out. */
export type WebhookTarget = z.input<typeof webhookTargetSchema>;

/** Tells the time in epoch ms; a test moves it by hand. */
export interface SimulatorClock {
  /** The time in epoch ms. */
  now(): number;
}

// developers.tiktok.com/doc/content-posting-api-reference-direct-post and its sister pages, read 2026-11-22.
const DEFAULT_LIMITS = {
  /** Calls per minute and user of each init endpoint. */
  initPerMinute: 6,
  /** Calls per minute and user of status/fetch. */
  statusPerMinute: 30,
  /** Calls per minute and user of creator_info/query. */
  creatorInfoPerMinute: 20,
  /**
   * Direct posts per creator in 24 h, `spam_risk_too_many_posts` beyond: "typically around 15 posts per day"
   * (developers.tiktok.com/doc/content-sharing-guidelines, read 2026-11-22).
   */
  postsPerDay: 15,
  /**
   * Drafts that a creator's inbox holds at once, each for 24 h at most, `spam_risk_too_many_pending_share` beyond: 5 as
   * documented; integrators have seen 6.
   */
  pendingSharesPerDay: 5,
  /** Creators the app may post for in 24 h, `reached_active_user_cap` beyond; 5 if the app is not audited. */
  activeUsersPerDay: Number.POSITIVE_INFINITY,
};

export type SimulatorLimits = typeof DEFAULT_LIMITS;

const DEFAULTS = {
  /** Address to listen on. */
  host: '127.0.0.1',
  /** Port to listen on; 0 is a free one. */
  port: 0,
  /** Seed of every id, token and probability. */
  seed: 1,
  /** Windows, lifetimes and processing follow it. */
  clock: { now: () => Date.now() } as SimulatorClock,
  /** The app's client key. */
  clientKey: 'simulator-client-key',
  /** The app's client secret; it also signs webhooks. */
  clientSecret: 'simulator-client-secret',
  /** From the last byte to the outcome, in ms. */
  processingMs: 300,
  /** From PUBLISH_COMPLETE until a public post shows its id. */
  moderationMs: 0,
  /** When the person posts a draft, counted from its arrival in the inbox; undefined is never, see `postDraft`. */
  inboxPostedAfterMs: undefined as number | undefined,
  /** The lifetime since November 2026; before it was 86400. */
  accessTokenSeconds: 7_200,
  /** 180 days; before November 2026 it was 31536000. */
  refreshTokenSeconds: 15_552_000,
  /** Whether each refresh replaces the refresh token and stops the old one. */
  rotateRefreshTokens: true,
  /** Behaves as towards an app that TikTok has not audited: private accounts, SELF_ONLY, 5 users a day. */
  unaudited: false,
  /** A sandbox of the developer portal: an app that is not audited, whose refresh tokens never work. */
  sandbox: false,
  /** URL prefixes (`https://host/path/`) and domains (`example.com`) the app has verified for PULL_FROM_URL. */
  verifiedUrlPrefixes: [] as string[],
  /** Really downloads pulled URLs in the background, instead of pretending to. */
  fetchPulls: false,
  /** How long a pretended download takes. */
  pullMs: 300,
  /** How large a pretended download is. */
  pullBytes: 10_000_000,
  /** Computes the sha256 of what is uploaded. */
  digest: true,
  /** Where webhooks are sent; undefined is nowhere, see `sendWebhooksTo`. */
  webhooks: undefined as WebhookTarget | undefined,
  /** Journal entries kept; the oldest go first. */
  journalLimit: 100_000,
};

/** How to start a simulator; every field has a default. */
export interface SimulatorOptions extends Partial<typeof DEFAULTS> {
  /** Limits other than TikTok's own. */
  limits?: Partial<SimulatorLimits>;
  /** Behaviours that the documentation leaves open, other than the strict ones. */
  switches?: Partial<SimulatorSwitches>;
}

export type SimulatorSettings = typeof DEFAULTS & { limits: SimulatorLimits; switches: SimulatorSwitches };

/**
 * Fills in the defaults.
 * @throws ZodError when a switch has an unknown name or value.
 */
export function resolveOptions(options: SimulatorOptions): SimulatorSettings {
  const unaudited = options.unaudited ?? options.sandbox ?? DEFAULTS.unaudited;
  const activeUsersPerDay = unaudited ? 5 : DEFAULT_LIMITS.activeUsersPerDay;
  return {
    ...DEFAULTS,
    ...options,
    unaudited,
    switches: switchesSchema.parse(options.switches ?? {}),
    limits: { ...DEFAULT_LIMITS, activeUsersPerDay, ...options.limits },
  };
}

export type SimulatorSwitches = z.output<typeof switchesSchema>;
