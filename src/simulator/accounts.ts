import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { SimulatorSettings } from './options.ts';
import { ALPHANUMERIC, type SeededRandom } from './random.ts';

const AUTHORIZATION_CODE_LIFETIME_MS = 600_000;

/** What can be said of a user; what is left out has a default. */
export const accountWish = z.strictObject({
  openId: z.string().min(1).exactOptional(),
  username: z.string().exactOptional(),
  nickname: z.string().exactOptional(),
  privacyLevelOptions: z.array(z.string()).exactOptional(),
  scopes: z.array(z.string()).exactOptional(),
  maxVideoPostDurationSec: z.int().min(1).exactOptional(),
  commentDisabled: z.boolean().exactOptional(),
  duetDisabled: z.boolean().exactOptional(),
  stitchDisabled: z.boolean().exactOptional(),
  /** Banned from posting: every init is refused. */
  banned: z.boolean().exactOptional(),
  /** Direct posts that the creator made by other apps within 24 h, which count for the same limit. */
  postsElsewhere: z.int().min(0).exactOptional(),
  /** A private account: other privacy levels, no duet and stitch. */
  private: z.boolean().exactOptional(),
});

/** A TikTok user as the simulator knows it. */
export type AccountProfile = Required<z.infer<typeof accountWish>>;

/** What the token endpoint hands out; lifetimes in seconds. */
export interface AccountTokens {
  /** The user's id. */
  openId: string;
  /** For calls of the API. */
  accessToken: string;
  /** For new tokens. */
  refreshToken: string;
  /** How long the access token works, in seconds. */
  expiresIn: number;
  /** How long the refresh token works, in seconds. */
  refreshExpiresIn: number;
  /** Comma list of what was granted. */
  scope: string;
}

interface Grant {
  accessTokens: Map<string, number>;
  refreshToken: string;
  refreshExpiresAt: number;
}

interface AuthorizationCode {
  openId: string;
  redirectUri: string;
  codeChallenge: string | undefined;
  expiresAt: number;
}

/** The users who connected the app, and their tokens. */
export class Accounts {
  readonly #settings: SimulatorSettings;
  readonly #random: SeededRandom;
  readonly #profiles = new Map<string, AccountProfile>();
  readonly #grants = new Map<string, Grant>();
  readonly #codes = new Map<string, AuthorizationCode>();
  /** Every token and authorization code that was ever given out. */
  readonly handedOut: string[] = [];
  /** Refresh tokens that a refresh has replaced, with the user they were of. */
  readonly replacedRefreshTokens = new Map<string, string>();

  constructor(settings: SimulatorSettings, random: SeededRandom) {
    this.#settings = settings;
    this.#random = random;
  }

  /** Adds a user, or replaces one of the same open_id, and issues tokens. */
  add(wanted: Partial<AccountProfile>): AccountTokens {
    const openId = wanted.openId ?? `-000${this.#random.text(32, ALPHANUMERIC)}`;
    const isPrivate = wanted.private ?? false;
    this.#profiles.set(openId, {
      username: `user_${this.#profiles.size + 1}`,
      nickname: `User ${this.#profiles.size + 1}`,
      // developers.tiktok.com/doc/content-posting-api-reference-query-creator-info, read 2026-11-22.
      privacyLevelOptions: [
        isPrivate ? 'FOLLOWER_OF_CREATOR' : 'PUBLIC_TO_EVERYONE',
        'MUTUAL_FOLLOW_FRIENDS',
        'SELF_ONLY',
      ],
      scopes: ['user.info.basic', 'video.publish', 'video.upload'],
      // As integrators see it for ordinary accounts; the page's example is 300.
      maxVideoPostDurationSec: 3_600,
      commentDisabled: false,
      duetDisabled: isPrivate,
      stitchDisabled: isPrivate,
      banned: false,
      postsElsewhere: 0,
      ...wanted,
      private: isPrivate,
      openId,
    });
    return this.#issue(openId);
  }

  /**
   * Changes a user without touching their tokens.
   * @throws Error when there is no such user.
   */
  update(openId: string, change: Partial<Omit<AccountProfile, 'openId'>>): void {
    const profile = this.#profiles.get(openId);
    if (profile === undefined) throw new Error(`no account ${openId}`);
    Object.assign(profile, change);
  }

  get(openId: string): AccountProfile | undefined {
    return this.#profiles.get(openId);
  }

  /** Everyone, in the order in which they were added. */
  all(): Iterable<AccountProfile> {
    return this.#profiles.values();
  }

  /** The open_id of the user who was added first, if any. */
  first(): string | undefined {
    return this.#profiles.keys().next().value;
  }

  /** The user an access token was issued for, whether or not it still works. */
  ownerOfAccessToken(accessToken: string): string | undefined {
    return this.#ownerOf((grant) => grant.accessTokens.has(accessToken));
  }

  /** The user whose current refresh token this is. */
  ownerOfRefreshToken(refreshToken: string): string | undefined {
    return this.#ownerOf((grant) => grant.refreshToken === refreshToken);
  }

  /** The user a working access token stands for. */
  authenticate(accessToken: string): AccountProfile | undefined {
    const openId = this.ownerOfAccessToken(accessToken);
    if (openId === undefined) return undefined;
    const expiresAt = this.#grants.get(openId)?.accessTokens.get(accessToken) ?? 0;
    return this.#now() < expiresAt ? this.#profiles.get(openId) : undefined;
  }

  /** New tokens for a refresh token, or nothing when it does not work. */
  refresh(refreshToken: string): AccountTokens | undefined {
    // Integrators report `invalid_grant` for fresh refresh tokens of a sandbox.
    if (this.#settings.sandbox) return undefined;
    const openId = this.ownerOfRefreshToken(refreshToken);
    const grant = openId === undefined ? undefined : this.#grants.get(openId);
    if (openId === undefined || grant === undefined || this.#now() >= grant.refreshExpiresAt) return undefined;
    return this.#issue(openId, grant);
  }

  /** A single-use code, as the consent page gives it to the redirect URI. The challenge is a hex SHA-256. */
  authorize(openId: string, redirectUri: string, codeChallenge?: string): string {
    const code = this.#random.text(40, ALPHANUMERIC);
    const expiresAt = this.#now() + AUTHORIZATION_CODE_LIFETIME_MS;
    this.handedOut.push(code);
    this.#codes.set(code, { openId, redirectUri, codeChallenge, expiresAt });
    return code;
  }

  /** Tokens for an authorization code, or nothing when code, redirect URI or verifier do not fit. */
  exchange(code: string, redirectUri: string, codeVerifier: string | undefined): AccountTokens | undefined {
    const issued = this.#codes.get(code);
    this.#codes.delete(code);
    if (issued === undefined || this.#now() >= issued.expiresAt || issued.redirectUri !== redirectUri) return undefined;
    if (issued.codeChallenge !== undefined && sha256Hex(codeVerifier ?? '') !== issued.codeChallenge) return undefined;
    return this.#issue(issued.openId);
  }

  /** Makes every access token of this user stop working now; the refresh token stays. */
  expireAccessToken(openId: string): void {
    const grant = this.#grants.get(openId);
    for (const accessToken of grant?.accessTokens.keys() ?? []) grant?.accessTokens.set(accessToken, this.#now());
  }

  /** Takes all tokens of this user away, as when they disconnect the app. */
  revoke(openId: string): void {
    this.#grants.delete(openId);
  }

  #issue(openId: string, previous?: Grant): AccountTokens {
    const { accessTokenSeconds, refreshTokenSeconds, rotateRefreshTokens, switches } = this.#settings;
    const now = this.#now();
    const accessToken = `act.${this.#random.text(48, ALPHANUMERIC)}`;
    const keepsOld = previous !== undefined && switches.oldAccessTokens === 'valid';
    const accessTokens = new Map(keepsOld ? [...previous.accessTokens].filter(([, expiresAt]) => expiresAt > now) : []);
    accessTokens.set(accessToken, now + accessTokenSeconds * 1_000);
    const keepsRefreshToken = previous !== undefined && !rotateRefreshTokens;
    const keepsDeadline = previous !== undefined && !switches.refreshLifetimeRestarts;
    const grant: Grant = {
      accessTokens,
      refreshToken: keepsRefreshToken ? previous.refreshToken : `rft.${this.#random.text(48, ALPHANUMERIC)}`,
      refreshExpiresAt: keepsDeadline ? previous.refreshExpiresAt : now + refreshTokenSeconds * 1_000,
    };
    this.#grants.set(openId, grant);
    if (previous !== undefined && !keepsRefreshToken) this.replacedRefreshTokens.set(previous.refreshToken, openId);
    this.handedOut.push(accessToken, grant.refreshToken);
    return {
      openId,
      accessToken,
      refreshToken: grant.refreshToken,
      expiresIn: accessTokenSeconds,
      refreshExpiresIn: Math.floor((grant.refreshExpiresAt - now) / 1_000),
      scope: (this.#profiles.get(openId)?.scopes ?? []).join(','),
    };
  }

  #ownerOf(isWanted: (grant: Grant) => boolean): string | undefined {
    for (const [openId, grant] of this.#grants) if (isWanted(grant)) return openId;
    return undefined;
  }

  #now(): number {
    return this.#settings.clock.now();
  }
}

function sha256Hex(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
