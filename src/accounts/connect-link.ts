import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { SECOND_MS } from '../core/units.ts';

/** Where connecting an account begins. */
export const CONNECT_PATH = '/connect/tiktok';

/** The query of a link. Anyone who has the link can connect one account until it expires. */
export interface ConnectLink {
  /** The name the account will have. */
  readonly account: string;
  /** Seconds since the epoch. */
  readonly expires: string;
  readonly signature: string;
}

/** Makes and checks links that an operator hands to the owner of a TikTok account. */
export interface ConnectLinks {
  /** @param expiresAt ms since the epoch; the link ends up to a second before */
  sign(account: string, expiresAt: number): ConnectLink;
  /** Whether the link was made with one of our keys, for this account, and has not ended. @param now ms since the epoch */
  isValid(link: ConnectLink, now: number): boolean;
}

const SIGNING_KEY_BYTES = 32;

/**
 * Links signed with HMAC-SHA256.
 * @param keys those that seal tokens: the signing keys are derived from them; the first signs, all verify
 */
export function createConnectLinks(keys: readonly [Buffer, ...Buffer[]]): ConnectLinks {
  const [signingKey, ...olderKeys] = keys.map(deriveKey);
  if (signingKey === undefined) throw new TypeError('expected at least one key');
  return {
    sign(account, expiresAt) {
      const expires = String(Math.floor(expiresAt / SECOND_MS));
      return { account, expires, signature: digestOf(signingKey, account, expires).toString('base64url') };
    },
    isValid({ account, expires, signature }, now) {
      const given = Buffer.from(signature, 'base64url');
      const isOurs = [signingKey, ...olderKeys]
        .map((key) => digestOf(key, account, expires))
        .some((digest) => digest.length === given.length && timingSafeEqual(digest, given));
      return isOurs && Number(expires) * SECOND_MS > now;
    },
  };
}

/** A key for one purpose tells nothing about that of another. */
function deriveKey(key: Buffer): Buffer {
  return Buffer.from(hkdfSync('sha256', key, '', 'tiktok-publisher connect link', SIGNING_KEY_BYTES));
}

function digestOf(key: Buffer, account: string, expires: string): Buffer {
  return createHmac('sha256', key)
    .update(JSON.stringify([account, expires]))
    .digest();
}
