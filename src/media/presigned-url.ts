import { SECOND_MS } from '../core/units.ts';

/** `20261122T181500Z`, as SigV4 and Google's V4 write times. */
const COMPACT_TIME = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/;
/** What AWS, Google and Azure say in the XML of a refusal because of time. */
const EXPIRY_WORDS =
  /Request has expired|ExpiredToken|ExpiredSignature|<Code>ExpiredRequest|not valid in the specified time frame|URL has expired|invalid expiration/i;

/**
 * Until when a presigned URL says that it is good (ms since the epoch): S3 and its kin (SigV4, SigV2), Google Cloud
 * Storage, CloudFront (`Expires`) and Azure (`se`).
 * @returns undefined for a URL that says nothing of the kind
 */
export function expiryOfPresignedUrl({ searchParams }: URL): number | undefined {
  const named = new Map([...searchParams].map(([name, value]) => [name.toLowerCase(), value]));
  for (const vendor of ['x-amz', 'x-goog']) {
    const signedAt = compactTime(named.get(`${vendor}-date`));
    const livesSeconds = Number(named.get(`${vendor}-expires`) ?? Number.NaN);
    if (signedAt !== undefined && !Number.isNaN(livesSeconds)) return signedAt + livesSeconds * SECOND_MS;
  }
  const expiresSeconds = named.get('expires') ?? '';
  if (/^\d{9,11}$/.test(expiresSeconds)) return Number(expiresSeconds) * SECOND_MS;
  const azureEnd = named.has('sig') ? Date.parse(named.get('se') ?? '') : Number.NaN;
  return Number.isNaN(azureEnd) ? undefined : azureEnd;
}

/** Whether the text of a refusal says that its URL has expired. */
export function saysExpired(text: string): boolean {
  return EXPIRY_WORDS.test(text);
}

function compactTime(text: string | undefined): number | undefined {
  const match = COMPACT_TIME.exec(text ?? '');
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}
