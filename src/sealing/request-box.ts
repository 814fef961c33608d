import { createECDH, hkdfSync } from 'node:crypto';
import type { JWK } from 'jose';
import { PublishError } from '../core/publish-error.ts';
import type { PublishRequest } from '../core/publish-request.ts';
import { type RequestSecrets, withOpenedUrls, withSealedUrls } from '../core/request-secrets.ts';
import { isSealedBefore02, openBoxBefore02, publicKeyBefore02, sealToBefore02 } from './before-0-2.ts';
import { openJwe, sealJwe } from './jwe.ts';
import type { PublicKeys, SealingKey } from './published-key.ts';
import type { OldFormInUse } from './sealer.ts';
import { keyIdOf, keyUnknown } from './sealing-error.ts';

/** The order of P-256 (FIPS 186-5 and SP 800-186, 3.2.1.3). */
const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const P256_BYTES = 32;
/** 64 bits more than the order has, so that no number below it is likelier than others (FIPS 186-5, A.2.1). */
const SEED_BYTES = P256_BYTES + 8;

/**
 * Seals and opens the secrets of requests with key pairs that follow from `ENCRYPTION_KEYS`, so that there is nothing
 * more to keep or to rotate.
 */
export function createRequestSecrets(
  encryptionKeys: readonly Buffer[],
  oldFormInUse: OldFormInUse = () => Promise.resolve(false),
): RequestSecrets & { readonly publicKeys: PublicKeys } {
  const [newest] = encryptionKeys;
  if (newest === undefined) throw new PublishError('CONFIG_INVALID', { reason: 'ENCRYPTION_KEYS: expected a key' });
  const { d: _, ...jwk } = keyPairOf(newest);
  const publicKeys: PublicKeys = { jwk, before02: publicKeyBefore02(newest) };
  return {
    publicKeys,
    async seal(request, jobId) {
      const key = (await oldFormInUse()) ? publicKeys.before02 : publicKeys.jwk;
      return await sealRequest(request, jobId, key);
    },
    async open(request, jobId) {
      return await withOpenedUrls(request, async (sealed) => {
        const context = contextOf(jobId);
        if (isSealedBefore02(sealed)) return openBoxBefore02(encryptionKeys, sealed, context);
        return await openJwe(sealed, context, {
          alg: 'ECDH-ES',
          keyOf(keyId) {
            const encryptionKey = encryptionKeys.find((candidate) => keyIdOf(candidate) === keyId);
            if (encryptionKey === undefined) throw keyUnknown(keyId, context);
            return keyPairOf(encryptionKey);
          },
        });
      });
    },
  };
}

/** The request with its secrets sealed to a public key. */
export async function sealRequest(request: PublishRequest, jobId: string, key: SealingKey): Promise<PublishRequest> {
  const context = contextOf(jobId);
  return await withSealedUrls(request, async (plaintext) => {
    if (typeof key === 'string') return sealToBefore02(key, plaintext, context);
    return await sealJwe(plaintext, context, { alg: 'ECDH-ES', kid: key.kid, key });
  });
}

function contextOf(jobId: string): string {
  return `request-urls:${jobId}`;
}

/** Not X25519: on Node 20.19, Web Crypto warns that it is experimental. */
function keyPairOf(encryptionKey: Buffer): PublicKeys['jwk'] & JWK & { readonly d: string } {
  const seed = hkdfSync('sha256', encryptionKey, '', 'tiktok-publisher request secrets P-256', SEED_BYTES);
  const scalar = (BigInt(`0x${Buffer.from(seed).toString('hex')}`) % (P256_ORDER - 1n)) + 1n;
  const d = Buffer.from(scalar.toString(16).padStart(2 * P256_BYTES, '0'), 'hex');
  const pair = createECDH('prime256v1');
  pair.setPrivateKey(d);
  const point = pair.getPublicKey().subarray(1);
  return {
    kty: 'EC',
    crv: 'P-256',
    kid: keyIdOf(encryptionKey),
    x: point.subarray(0, P256_BYTES).toString('base64url'),
    y: point.subarray(P256_BYTES).toString('base64url'),
    d: d.toString('base64url'),
  };
}
