import type { AccountProfile, AccountTokens } from './accounts.ts';
import type { FaultHandle, FaultRule } from './faults.ts';
import type { Journal } from './journal.ts';
import type { WebhookTarget } from './options.ts';
import type { WebhookDelivery } from './webhooks.ts';

export interface Simulator {
  /** Base of the API, `http://host:port`. Upload URLs share host and port with it. */
  readonly url: string;
  readonly clientKey: string;
  readonly clientSecret: string;
  /** Everything that was asked, and what came of it. */
  readonly journal: Journal;
  readonly faults: { add(rule: FaultRule): FaultHandle; clear(): void };
  /** Adds a user who has connected the app, or replaces one of the same openId, and issues tokens. */
  addAccount(profile?: Partial<AccountProfile>): AccountTokens;
  /**
   * Changes a user without touching their tokens: bans them, makes the account private.
   * @throws Error when there is no such user.
   */
  updateAccount(openId: string, change: Partial<Omit<AccountProfile, 'openId'>>): void;
  /** Makes this user's access tokens stop working now; the refresh token stays. */
  expireAccessToken(openId: string): void;
  /** The user disconnects the app: all tokens stop, publishes under way end FAILED / auth_removed. */
  revokeGrant(openId: string): void;
  /** An authorization code, as the consent page gives it to `redirectUri`; the challenge is a hex SHA-256. */
  authorize(openId: string, redirectUri: string, codeChallenge?: string): string;
  /**
   * The person posts a draft from the inbox, as often as they like.
   * @returns The post's id.
   * @throws Error when there is no such draft in the inbox.
   */
  postDraft(publishId: string, options?: { isPublic?: boolean }): string;
  /**
   * Ends processing now: well, or FAILED with a reason. Frees a publish that a fault made stuck.
   * @throws Error when it should end well and bytes are missing.
   */
  settle(publishId: string, failReason?: string): void;
  /**
   * Sends webhooks to another address from here on, or to none.
   * @throws ZodError when the address is no URL
   */
  sendWebhooksTo(target: WebhookTarget | undefined): void;
  /** Webhooks sent so far, oldest first. */
  readonly webhooks: readonly WebhookDelivery[];
  /** Every token, authorization code and part of an upload URL that was given out, for tests that search for leaks. */
  secrets(): string[];
  /** Forgets publishes, posts, requests, faults and used quota. Accounts and tokens stay. */
  reset(): void;
  /** Breaks all connections and stops. */
  close(): Promise<void>;
}
