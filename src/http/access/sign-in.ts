import { createHmac, hkdfSync } from 'node:crypto';
import type { Caller } from '../../core/access.ts';
import { sha256Hex } from '../../core/request-digest.ts';
import { type ApiKeys, isMadeKey } from './api-keys.ts';

/** The login of the board. */
export interface BoardLogin {
  readonly user: string;
  readonly password: string;
}

/** Sign the cookies of sessions: the first new ones. */
export type SessionSecrets = readonly [string, ...string[]];

const SECRET_BYTES = 32;
/** Sets these secrets apart from all else that is derived from the same keys. */
const PURPOSE = 'tiktok-publisher sessions v1';

export interface SignInRules {
  /** The login of those who operate; undefined: there is none. */
  readonly login: BoardLogin | undefined;
  /** The login of those who may only look. */
  readonly viewer: BoardLogin | undefined;
  readonly apiKeys: readonly string[];
  /** Undefined where no keys are made at run time. */
  readonly keys: Pick<ApiKeys, 'find' | 'findByDigest'> | undefined;
  /** Makes proofs worthless to who reads them in Redis. */
  readonly secret: string;
}

/** Finds out who signs in, and whose a session is. */
export type SignIns = ReturnType<typeof createSignIns>;

const MADE = 'made:';

/**
 * A session keeps the proof of what its user signed in with, and not what they may do: so it ends with the key or login,
 * and changes with its scopes.
 */
export function createSignIns({ login, viewer, apiKeys, keys, secret }: SignInRules) {
  const proofOf = (kind: string, text: string) =>
    createHmac('sha256', secret).update(`${kind}:${text}`).digest('base64url');
  const proofOfLogin = ({ user, password }: BoardLogin) => proofOf('login', JSON.stringify([user, password]));
  const known = new Map<string, Caller>(
    apiKeys.map((key, index) => [proofOf('key', key), { by: `API_KEYS ${index + 1}`, scopes: ['admin'] }]),
  );
  if (viewer !== undefined) known.set(proofOfLogin(viewer), { by: nameOf(viewer), scopes: ['read'] });
  if (login !== undefined) known.set(proofOfLogin(login), operatorOf(login));

  /** Whose a proof is; undefined: nobody's, or no longer. */
  async function callerOf(proof: string): Promise<Caller | undefined> {
    return proof.startsWith(MADE) ? await keys?.findByDigest(proof.slice(MADE.length)) : known.get(proof);
  }

  return {
    callerOf,

    /** @returns what a session keeps; undefined: the login is wrong */
    proofOfLogin(typed: BoardLogin): string | undefined {
      const proof = proofOfLogin(typed);
      return known.has(proof) ? proof : undefined;
    },

    /** @returns what a session keeps; undefined: there is no such key */
    async proofOfKey(text: string): Promise<string | undefined> {
      const proof = isMadeKey(text) ? `${MADE}${sha256Hex(text)}` : proofOf('key', text);
      return (await callerOf(proof)) === undefined ? undefined : proof;
    },
  };
}

/** Who operates: with the login, or on this machine where there is none. Timelines take names of up to 100 characters. */
export function operatorOf(login: BoardLogin | undefined): Caller {
  return { by: login === undefined ? 'board' : nameOf(login), scopes: ['admin'] };
}

function nameOf({ user }: BoardLogin): string {
  return `board ${user}`.slice(0, 100);
}

/** One of each encryption key, in their order. */
export function deriveSessionSecrets(encryptionKeys: readonly Buffer[]): SessionSecrets {
  const [first = '', ...others] = encryptionKeys.map((key) =>
    Buffer.from(hkdfSync('sha256', key, '', PURPOSE, SECRET_BYTES)).toString('base64'),
  );
  return [first, ...others];
}
