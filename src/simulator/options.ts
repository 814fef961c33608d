import { z } from 'zod';
import { type SimulatorSwitches, switchesSchema } from './switches.ts';

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
  now(): number;
}

/** Call and creator limits; all windows slide. */
export interface SimulatorLimits {
  /** Calls per minute and user of each init endpoint. */
  initPerMinute: number;
  /** Calls per minute and user of status/fetch. */
  statusPerMinute: number;
  /** Calls per minute and user of creator_info/query. */
  creatorInfoPerMinute: number;
  /** Direct posts per creator in 24 h, `spam_risk_too_many_posts` beyond. */
  postsPerDay: number;
  /** Unfinished inbox shares per creator in 24 h, `spam_risk_too_many_pending_share` beyond. */
  pendingSharesPerDay: number;
  /** Creators the app may post for in 24 h, `reached_active_user_cap` beyond. */
  activeUsersPerDay: number;
}

/** How to start a simulator; every field has a default. */
export interface SimulatorOptions {
  /** Address to listen on. Default 127.0.0.1. */
  host?: string;
  /** Port to listen on. Default 0: a free one. */
  port?: number;
  /** Seed of every id, token and probability. Default 1. */
  seed?: number;
  /** Default: the system clock. */
  clock?: SimulatorClock;
  clientKey?: string;
  clientSecret?: string;
  /** From the last byte to the outcome. Default 300. */
  processingMs?: number;
  /** From PUBLISH_COMPLETE until a public post shows its id. Default 0. */
  moderationMs?: number;
  /** When the person posts a draft, counted from its arrival in the inbox. Default: never, see `postDraft`. */
  inboxPostedAfterMs?: number;
  /** Default 7200, the lifetime since November 2026; before it was 86400. */
  accessTokenSeconds?: number;
  /** Default 15552000 (180 days); before November 2026 it was 31536000. */
  refreshTokenSeconds?: number;
  /** Whether each refresh replaces the refresh token and stops the old one. Default true. */
  rotateRefreshTokens?: boolean;
  /** Behaves as towards an app that TikTok has not audited: private accounts, SELF_ONLY, 5 users a day. Default false. */
  unaudited?: boolean;
  limits?: Partial<SimulatorLimits>;
  switches?: Partial<SimulatorSwitches>;
  /** URL prefixes (`https://host/path/`) and domains (`example.com`) the app has verified for PULL_FROM_URL. */
  verifiedUrlPrefixes?: string[];
  /** Really downloads pulled URLs in the background, instead of pretending to. Default false. */
  fetchPulls?: boolean;
  /** How long a pretended download takes. Default 300. */
  pullMs?: number;
  /** How large a pretended download is. Default 10000000. */
  pullBytes?: number;
  /** Computes the sha256 of what is uploaded. Default true. */
  digest?: boolean;
  /** Where webhooks are sent. Default: nowhere, see `sendWebhooksTo`. */
  webhooks?: WebhookTarget;
  /** Journal entries kept; the oldest go first. Default 100000. */
  journalLimit?: number;
}

/** Options with every default filled in. */
export interface SimulatorSettings
  extends Required<Omit<SimulatorOptions, 'limits' | 'switches' | 'inboxPostedAfterMs' | 'webhooks'>> {
  inboxPostedAfterMs: number | undefined;
  webhooks: WebhookTarget | undefined;
  limits: SimulatorLimits;
  switches: SimulatorSwitches;
}

/**
 * Fills in the defaults.
 * @throws ZodError when a switch has an unknown name or value.
 */
export function resolveOptions(options: SimulatorOptions): SimulatorSettings {
  const unaudited = options.unaudited ?? false;
  return {
    host: '127.0.0.1',
    port: 0,
    seed: 1,
    clock: { now: () => Date.now() },
    clientKey: 'simulator-client-key',
    clientSecret: 'simulator-client-secret',
    processingMs: 300,
    moderationMs: 0,
    accessTokenSeconds: 7_200,
    refreshTokenSeconds: 15_552_000,
    rotateRefreshTokens: true,
    verifiedUrlPrefixes: [],
    fetchPulls: false,
    pullMs: 300,
    pullBytes: 10_000_000,
    digest: true,
    journalLimit: 100_000,
    ...options,
    unaudited,
    inboxPostedAfterMs: options.inboxPostedAfterMs,
    webhooks: options.webhooks,
    switches: switchesSchema.parse(options.switches ?? {}),
    limits: {
      // developers.tiktok.com/doc/content-posting-api-reference-direct-post and its sister pages, read 2026-11-22.
      initPerMinute: 6,
      statusPerMinute: 30,
      creatorInfoPerMinute: 20,
      // "typically around 15 posts per day", developers.tiktok.com/doc/content-sharing-guidelines, read 2026-11-22.
      postsPerDay: 15,
      pendingSharesPerDay: 5,
      activeUsersPerDay: unaudited ? 5 : Number.POSITIVE_INFINITY,
      ...options.limits,
    },
  };
}
