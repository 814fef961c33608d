import { parse, parseNumberAndBigInt } from 'lossless-json';

/** Integers become bigint and so keep every digit. @returns undefined for what is not JSON */
export function parseExactJson(text: string): unknown {
  try {
    return parse(text, null, parseNumberAndBigInt);
  } catch {
    return undefined;
  }
}
