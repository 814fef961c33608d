import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
} from 'node:crypto';
import { PublishError } from '../core/publish-error.ts';

const FORMAT = 'x1';
const ALGORITHM = 'aes-256-gcm';
const KEY_BYTES = 32;
/** NIST SP 800-38D, 8.2.1. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const RAW_KEY_BYTES = 32;
/** What stands before the 32 bytes of an X25519 key in DER (RFC 8410). */
const PRIVATE_DER_PREFIX = Buffer.from('302e020100300506032b656e04220420', 'hex');
const PUBLIC_DER_PREFIX = Buffer.from('302a300506032b656e032100', 'hex');
const KEY_ID_CHARS = 8;

/** Opens what was sealed to the public half of one of its keys. */
export interface BoxOpener {
  /** The public half of the newest key: 32 bytes, base64url. */
  readonly publicKey: string;
  /** @throws PublishError `CONFIG_KEY_UNKNOWN` or `INTERNAL_TAMPERED` */
  open(sealed: string, context: string): string;
}

/**
 * Seals a text so that only the holder of the private key opens it: X25519 with a key pair for this text alone, HKDF
 * (RFC 5869) over both public keys, AES-256-GCM. The result, `x1.<key id>.<public key>.<ciphertext and tag>`, opens only
 * in its context.
 *
 * @param publicKey 32 bytes, base64url
 * @throws PublishError `CONFIG_INVALID` when that is no such key
 */
export function sealTo(publicKey: string, plaintext: string, context: string): string {
  const recipient = publicKeyOf(publicKey);
  const once = generateKeyPairSync('x25519');
  const onceRaw = rawOf(once.publicKey);
  const secret = diffieHellman({ privateKey: once.privateKey, publicKey: recipient });
  const { key, nonce } = deriveKey(secret, onceRaw, rawOf(recipient));
  const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES }).setAAD(Buffer.from(context));
  const body = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return [FORMAT, keyIdOf(rawOf(recipient)), onceRaw.toString('base64url'), body.toString('base64url')].join('.');
}

/** @param encryptionKeys 32 bytes each; the private keys follow from them, the first one's public half is given out */
export function createBoxOpener(encryptionKeys: readonly Buffer[]): BoxOpener {
  const pairs = encryptionKeys.map((encryptionKey) => {
    const privateKey = privateKeyFrom(encryptionKey);
    return { privateKey, publicRaw: rawOf(createPublicKey(privateKey)) };
  });
  const [newest] = pairs;
  if (newest === undefined) throw new PublishError('CONFIG_INVALID', { reason: 'ENCRYPTION_KEYS: expected a key' });

  return {
    publicKey: newest.publicRaw.toString('base64url'),
    open(sealed, context) {
      const [format, keyId = '', onceText = '', bodyText = '', ...rest] = sealed.split('.');
      const onceRaw = Buffer.from(onceText, 'base64url');
      const body = Buffer.from(bodyText, 'base64url');
      const isWhole = format === FORMAT && rest.length === 0 && onceRaw.length === RAW_KEY_BYTES;
      if (!isWhole || body.length < TAG_BYTES) throw tampered(context);
      const pair = pairs.find(({ publicRaw }) => keyIdOf(publicRaw) === keyId);
      if (pair === undefined) {
        const reason = `ENCRYPTION_KEYS does not contain the key ${keyId.slice(0, KEY_ID_CHARS)}, with which ${context} was encrypted`;
        throw new PublishError('CONFIG_KEY_UNKNOWN', { reason });
      }
      try {
        const publicKey = publicKeyOf(onceText);
        const secret = diffieHellman({ privateKey: pair.privateKey, publicKey });
        const { key, nonce } = deriveKey(secret, onceRaw, pair.publicRaw);
        const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES })
          .setAAD(Buffer.from(context))
          .setAuthTag(body.subarray(body.length - TAG_BYTES));
        const plain = decipher.update(body.subarray(0, body.length - TAG_BYTES));
        return Buffer.concat([plain, decipher.final()]).toString('utf8');
      } catch {
        throw tampered(context);
      }
    },
  };
}

function privateKeyFrom(encryptionKey: Buffer): KeyObject {
  const seed = Buffer.from(hkdfSync('sha256', encryptionKey, '', 'tiktok-publisher request secrets', RAW_KEY_BYTES));
  return createPrivateKey({ key: Buffer.concat([PRIVATE_DER_PREFIX, seed]), format: 'der', type: 'pkcs8' });
}

function publicKeyOf(base64url: string): KeyObject {
  const raw = Buffer.from(base64url, 'base64url');
  if (raw.length !== RAW_KEY_BYTES) {
    throw new PublishError('CONFIG_INVALID', {
      reason: 'the public key for encrypting request secrets is damaged',
    });
  }
  return createPublicKey({ key: Buffer.concat([PUBLIC_DER_PREFIX, raw]), format: 'der', type: 'spki' });
}

function rawOf(publicKey: KeyObject): Buffer {
  return publicKey.export({ format: 'der', type: 'spki' }).subarray(PUBLIC_DER_PREFIX.length);
}

/** The key pair serves one text, so key and nonce may both follow from it. */
function deriveKey(secret: Buffer, onceRaw: Buffer, recipientRaw: Buffer): { key: Buffer; nonce: Buffer } {
  const salt = Buffer.concat([onceRaw, recipientRaw]);
  const derived = Buffer.from(hkdfSync('sha256', secret, salt, 'tiktok-publisher box', KEY_BYTES + NONCE_BYTES));
  return { key: derived.subarray(0, KEY_BYTES), nonce: derived.subarray(KEY_BYTES) };
}

function keyIdOf(publicRaw: Buffer): string {
  return createHash('sha256').update(publicRaw).digest('hex').slice(0, KEY_ID_CHARS);
}

function tampered(context: string): PublishError {
  return new PublishError('INTERNAL_TAMPERED', {
    reason: `the encrypted value of ${context} was changed after it was stored`,
  });
}
