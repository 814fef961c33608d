import type { JWEHeaderParameters, JWK } from 'jose';
import { PublishError } from '../core/publish-error.ts';
import { tampered } from './sealing-error.ts';

/** `dir`: with the key itself. `ECDH-ES`: to the public half of a key. */
export type KeyManagement = 'dir' | 'ECDH-ES';

const CONTENT_ENCRYPTION = 'A256GCM';

/** Loaded at the first use: most producers never seal anything. */
const loadJose = () => import('jose');

/**
 * Seals a text as a JWE (RFC 7516) in its compact layout. The context is its additional authenticated data and is not
 * stored: only who names the same context opens the value.
 *
 * @param context not empty
 */
export async function sealJwe(
  plaintext: string,
  context: string,
  { alg, kid, key }: { readonly alg: KeyManagement; readonly kid: string; readonly key: Uint8Array | JWK },
): Promise<string> {
  const { FlattenedEncrypt } = await loadJose();
  const jwe = await new FlattenedEncrypt(Buffer.from(plaintext))
    .setProtectedHeader({ alg, enc: CONTENT_ENCRYPTION, kid })
    .setAdditionalAuthenticatedData(Buffer.from(context))
    .encrypt(key);
  // Both algorithms leave the part of an encrypted key empty.
  return [jwe.protected, '', jwe.iv, jwe.ciphertext, jwe.tag].join('.');
}

/**
 * @param keyOf finds a key by its id, or throws
 * @throws PublishError `INTERNAL_TAMPERED`, and what `keyOf` throws
 */
export async function openJwe(
  sealed: string,
  context: string,
  { alg, keyOf }: { readonly alg: KeyManagement; readonly keyOf: (keyId: string) => Uint8Array | JWK },
): Promise<string> {
  const { flattenedDecrypt } = await loadJose();
  const [header = '', encryptedKey, iv = '', ciphertext = '', tag = '', ...rest] = sealed.split('.');
  if (encryptedKey !== '' || rest.length > 0) throw tampered(context);
  const jwe = { protected: header, iv, ciphertext, tag, aad: Buffer.from(context).toString('base64url') };
  try {
    const { plaintext } = await flattenedDecrypt(
      jwe,
      (protectedHeader: JWEHeaderParameters | undefined) => keyOf(protectedHeader?.kid ?? ''),
      {
        // A value that anybody can seal must not pass for one that only the holder of a key can.
        keyManagementAlgorithms: [alg],
        contentEncryptionAlgorithms: [CONTENT_ENCRYPTION],
      },
    );
    return Buffer.from(plaintext).toString();
  } catch (error) {
    throw error instanceof PublishError ? error : tampered(context);
  }
}

/** The id of the key that opens a value; undefined for a text that is no JWE. */
export async function keyIdOfJwe(sealed: string): Promise<string | undefined> {
  const { decodeProtectedHeader } = await loadJose();
  try {
    return decodeProtectedHeader(sealed).kid;
  } catch {
    return undefined;
  }
}

/** What tells a public key from all others: its SHA-256 (RFC 7638), base64url. */
export async function thumbprintOf(jwk: JWK): Promise<string> {
  return await (await loadJose()).calculateJwkThumbprint(jwk);
}
