/**
 * Values sealed before version 0.2.0, by code of our own: `v1` for tokens and upload URLs, `x1` for request secrets.
 * They are still read, and still written while a service of an earlier version may read them (`README.md`).
 */
import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { keyIdOf, keyUnknown, tampered } from './sealing-error.ts';

const ALGORITHM = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** What stands before the 32 bytes of an X25519 key in DER (RFC 8410). */
const PRIVATE_DER_PREFIX = Buffer.from('302e020100300506032b656e04220420', 'hex');
const PUBLIC_DER_PREFIX = Buffer.from('302a300506032b656e032100', 'hex');

/** Key id, nonce, ciphertext and tag. */
const V1_FORM = /^v1\.([\w-]+)\.([\w-]{16})\.([\w-]{22,})$/;
/** Key id, public key of the sender, ciphertext and tag. */
const X1_FORM = /^x1\.([\w-]+)\.([\w-]{43})\.([\w-]{22,})$/;

/** Whether a value is in one of the old forms. */
export function isSealedBefore02(sealed: string): boolean {
  return /^[vx]1\./.test(sealed);
}

/** The id of the key that sealed a `v1` value. */
export function keyIdBefore02(sealed: string): string | undefined {
  return V1_FORM.exec(sealed)?.[1];
}

/** Seals a token or an upload URL as `v1`. */
export function sealBefore02(key: Buffer, plaintext: string, context: string): string {
  const nonce = randomBytes(NONCE_BYTES);
  const body = encrypt({ key, nonce }, plaintext, context);
  return ['v1', keyIdOf(key), nonce.toString('base64url'), body.toString('base64url')].join('.');
}

/** Opens a `v1` value. @throws PublishError `CONFIG_KEY_UNKNOWN` or `INTERNAL_TAMPERED` */
export function openBefore02(encryptionKeys: readonly Buffer[], sealed: string, context: string): string {
  const [, keyId, nonce, body] = V1_FORM.exec(sealed) ?? [];
  if (keyId === undefined || nonce === undefined || body === undefined) throw tampered(context);
  const key = encryptionKeys.find((candidate) => keyIdOf(candidate) === keyId);
  if (key === undefined) throw keyUnknown(keyId, context);
  return decrypt({ key, nonce: Buffer.from(nonce, 'base64url') }, body, context);
}

/** The X25519 key that producers of earlier versions seal to: 32 bytes, base64url. */
export function publicKeyBefore02(encryptionKey: Buffer): string {
  return rawOf(createPublicKey(privateKeyOf(encryptionKey))).toString('base64url');
}

/** Seals request secrets as `x1`. @param publicKey as {@link publicKeyBefore02} gives it */
export function sealToBefore02(publicKey: string, plaintext: string, context: string): string {
  const recipientRaw = Buffer.from(publicKey, 'base64url');
  const sender = generateKeyPairSync('x25519');
  const senderRaw = rawOf(sender.publicKey);
  const secret = diffieHellman({ privateKey: sender.privateKey, publicKey: publicKeyFrom(recipientRaw) });
  const body = encrypt(deriveKey(secret, senderRaw, recipientRaw), plaintext, context);
  return ['x1', keyIdOf(recipientRaw), senderRaw.toString('base64url'), body.toString('base64url')].join('.');
}

/** Opens an `x1` value. @throws PublishError `CONFIG_KEY_UNKNOWN` or `INTERNAL_TAMPERED` */
export function openBoxBefore02(encryptionKeys: readonly Buffer[], sealed: string, context: string): string {
  const [, keyId, sender, body] = X1_FORM.exec(sealed) ?? [];
  if (keyId === undefined || sender === undefined || body === undefined) throw tampered(context);
  for (const encryptionKey of encryptionKeys) {
    const privateKey = privateKeyOf(encryptionKey);
    const recipientRaw = rawOf(createPublicKey(privateKey));
    if (keyIdOf(recipientRaw) !== keyId) continue;
    const senderRaw = Buffer.from(sender, 'base64url');
    try {
      const secret = diffieHellman({ privateKey, publicKey: publicKeyFrom(senderRaw) });
      return decrypt(deriveKey(secret, senderRaw, recipientRaw), body, context);
    } catch {
      throw tampered(context);
    }
  }
  throw keyUnknown(keyId, context);
}

interface AesKey {
  readonly key: Buffer;
  readonly nonce: Buffer;
}

function encrypt({ key, nonce }: AesKey, plaintext: string, context: string): Buffer {
  const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES }).setAAD(Buffer.from(context));
  return Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final(), cipher.getAuthTag()]);
}

function decrypt({ key, nonce }: AesKey, bodyText: string, context: string): string {
  const body = Buffer.from(bodyText, 'base64url');
  try {
    const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES })
      .setAAD(Buffer.from(context))
      .setAuthTag(body.subarray(body.length - TAG_BYTES));
    const plain = decipher.update(body.subarray(0, body.length - TAG_BYTES));
    return Buffer.concat([plain, decipher.final()]).toString('utf8');
  } catch {
    throw tampered(context);
  }
}

function deriveKey(secret: Buffer, senderRaw: Buffer, recipientRaw: Buffer): AesKey {
  const salt = Buffer.concat([senderRaw, recipientRaw]);
  const derived = Buffer.from(hkdfSync('sha256', secret, salt, 'tiktok-publisher box', KEY_BYTES + NONCE_BYTES));
  return { key: derived.subarray(0, KEY_BYTES), nonce: derived.subarray(KEY_BYTES) };
}

function privateKeyOf(encryptionKey: Buffer): KeyObject {
  const seed = Buffer.from(hkdfSync('sha256', encryptionKey, '', 'tiktok-publisher request secrets', KEY_BYTES));
  return createPrivateKey({ key: Buffer.concat([PRIVATE_DER_PREFIX, seed]), format: 'der', type: 'pkcs8' });
}

function publicKeyFrom(raw: Buffer): KeyObject {
  return createPublicKey({ key: Buffer.concat([PUBLIC_DER_PREFIX, raw]), format: 'der', type: 'spki' });
}

function rawOf(publicKey: KeyObject): Buffer {
  return publicKey.export({ format: 'der', type: 'spki' }).subarray(PUBLIC_DER_PREFIX.length);
}
