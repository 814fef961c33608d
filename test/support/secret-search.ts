/** A text or some bytes that must not be seen anywhere. */
export interface PlantedSecret {
  readonly name: string;
  readonly value: string | Buffer;
}

/** Something the system wrote or showed. */
export interface Evidence {
  /** Which way it went out, such as `log` or `redis`. */
  readonly channel: string;
  /** Where exactly. */
  readonly place: string;
  readonly content: string | Buffer;
}

/** A piece of a secret that was found. */
export interface Leak {
  readonly secret: string;
  readonly channel: string;
  readonly place: string;
  /** The piece and what stands around it. */
  readonly surroundings: string;
}

/** So many characters of any form of a secret in a row count as a leak. */
export const PIECE_CHARS = 16;
const HASHED_CHARS = 8;
const HASH_SIZE = 1 << 22;
const SURROUNDING_CHARS = 100;

/**
 * Makes a search for pieces of secrets: as they are, escaped for JSON, percent-encoded, in hex, and in base64 and
 * base64url at whichever of the three alignments they begin.
 * @returns at most one leak for each secret and place
 */
export function searchFor(secrets: readonly PlantedSecret[]): (evidence: readonly Evidence[]) => Leak[] {
  const nameOfPiece = new Map<string, string>();
  // Most places hold no piece of anything, which a hash of the first characters tells quickly.
  const isHashKnown = new Uint8Array(HASH_SIZE);
  for (const { name, value } of secrets) {
    for (const form of formsOf(value)) {
      for (let at = 0; at + PIECE_CHARS <= form.length; at++) {
        nameOfPiece.set(form.slice(at, at + PIECE_CHARS), name);
        isHashKnown[hashAt(form, at)] = 1;
      }
    }
  }
  return (evidence) => evidence.flatMap((item) => leaksIn(item));

  function leaksIn({ channel, place, content }: Evidence): Leak[] {
    const text = asCharacters(content);
    const leaks = new Map<string, Leak>();
    for (let at = 0; at + PIECE_CHARS <= text.length; at++) {
      if (isHashKnown[hashAt(text, at)] !== 1) continue;
      const secret = nameOfPiece.get(text.slice(at, at + PIECE_CHARS));
      if (secret === undefined || leaks.has(secret)) continue;
      const surroundings = text.slice(Math.max(0, at - SURROUNDING_CHARS), at + PIECE_CHARS + SURROUNDING_CHARS);
      leaks.set(secret, { secret, channel, place, surroundings });
    }
    return [...leaks.values()];
  }
}

function hashAt(text: string, at: number): number {
  let hash = 0;
  for (let i = at; i < at + HASHED_CHARS; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
  return hash & (HASH_SIZE - 1);
}

/** Every way a secret is likely to be written. */
function formsOf(value: string | Buffer): Set<string> {
  const bytes = Buffer.from(value);
  const plain = asCharacters(bytes);
  const hex = bytes.toString('hex');
  const base64 = [0, 1, 2].flatMap((offset) => base64At(bytes, offset));
  const escaped = [JSON.stringify(plain).slice(1, -1), encodeURIComponent(plain), plain.replaceAll('/', '\\/')];
  return new Set([plain, ...escaped, hex, hex.toUpperCase(), ...base64]);
}

/** The base64 characters that depend on these bytes alone when they begin at `offset` of a group of three. */
function base64At(bytes: Buffer, offset: number): string[] {
  const dependingOnOthers = [0, 2, 3][offset];
  const sixBitGroups = Math.floor(((offset + bytes.length) * 8) / 6);
  const encoded = Buffer.concat([Buffer.alloc(offset), bytes])
    .toString('base64')
    .slice(dependingOnOthers, sixBitGroups);
  return [encoded, encoded.replaceAll('+', '-').replaceAll('/', '_')];
}

/** Bytes as characters of the same codes, so that a text with binary in it is searched like any other. */
function asCharacters(content: string | Buffer): string {
  return typeof content === 'string' ? content : content.toString('latin1');
}
