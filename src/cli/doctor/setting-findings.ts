import { access, constants, stat } from 'node:fs/promises';
import type { Config } from '../../config/load-config.ts';
import { PublishError } from '../../core/publish-error.ts';
import { createMediaOpener } from '../../media/open-media.ts';
import type { Finding } from './finding.ts';

/** Keys in the TikTok developer portal are longer; this only tells a key from a place for one. */
const SHORTEST_CLIENT_KEY = 8;

/** What is valid as text and cannot be meant so, or one `ok`; and what TikTok wants of those who keep videos on servers. */
export async function settingFindings({
  mediaRoots = [],
  s3,
  tiktok,
}: Pick<Config, 'mediaRoots' | 's3' | 'tiktok'>): Promise<Finding[]> {
  const findings = [
    ...(await Promise.all(mediaRoots.map(rootFindings))).flat(),
    ...clientKeyFindings(tiktok.clientKey),
  ];
  const hasServerVideos = mediaRoots.length > 0 || s3.isChosen;
  return [...(findings.length > 0 ? findings : [ALL_VALID]), ...(hasServerVideos ? [UPLOADED_FROM_SERVER] : [])];
}

const ALL_VALID: Finding = { check: 'settings', level: 'ok', message: 'every setting is valid' };

/** content-sharing-guidelines, "Choose efficient means to send contents to TikTok", read 2026-09-11. */
const UPLOADED_FROM_SERVER: Finding = {
  check: 'settings',
  level: 'advice',
  message:
    'MEDIA_ROOTS or S3 is set: such videos are uploaded, which TikTok accepts, but its guidelines want it to download videos that are on a server',
  fix: 'Before you ask TikTok for an audit, read "Who sends the bytes" in docs/media.md.',
};

async function rootFindings(folder: string): Promise<Finding[]> {
  const problem = await folderProblem(folder);
  if (problem === undefined) return [];
  const message = `MEDIA_ROOTS lists ${folder}, which ${problem}: files in it cannot be published from this machine`;
  const fix = 'Correct MEDIA_ROOTS, or create the folder and give the service user read permission.';
  return [{ check: 'settings', level: 'problem', message, fix }];
}

async function folderProblem(folder: string): Promise<string | undefined> {
  const found = await stat(folder).catch(() => undefined);
  if (found === undefined) return 'does not exist';
  if (!found.isDirectory()) return 'is not a folder';
  // Files in a folder are opened by their paths: that takes the right to pass, not to list.
  return await access(folder, constants.X_OK).then(
    () => undefined,
    () => 'this user has no permission to read',
  );
}

/** Of a placeholder that was left in, TikTok says only that a client is unknown. */
function clientKeyFindings(key: string | undefined): Finding[] {
  if (key === undefined || (key.length >= SHORTEST_CLIENT_KEY && !/\s|…|\.\.\./.test(key))) return [];
  const message =
    'TIKTOK_CLIENT_KEY is not a valid TikTok client key: it is too short, or contains white space or an ellipsis';
  const fix = 'Copy it, and TIKTOK_CLIENT_SECRET, from your app in the TikTok developer portal.';
  return [{ check: 'settings', level: 'problem', message, fix }];
}

/** Nobody's: what object storage says to it tells whether it takes the credentials. */
const PROBE = { type: 's3', bucket: 'tiktok-publisher-doctor', key: 'no-such-object.mp4' } as const;
/** Refusals of one object, to somebody who is known. */
const KNOWN_US = ['INPUT_MEDIA_NOT_FOUND', 'INPUT_MEDIA_ACCESS_REFUSED'];
/** Long enough for a server that is there. */
const STALL_MS = 5_000;

/** Whether object storage answers and takes the credentials, where a setting of ours names any. */
export async function storageFindings({
  s3,
  proxy,
}: Pick<Config, 's3'> & Partial<Pick<Config, 'proxy'>>): Promise<Finding[]> {
  if (!s3.isChosen) return [];
  const where = s3.endpoint ?? `AWS, ${s3.region}`;
  const media = createMediaOpener({ s3, proxy, stallMs: STALL_MS });
  try {
    await (await media.open(PROBE)).close();
  } catch (error) {
    if (!(error instanceof PublishError)) throw error;
    if (!KNOWN_US.includes(error.code)) {
      const message = `object storage (${where}) cannot be used: ${error.message}`;
      return [{ check: 'storage', level: 'problem', message, fix: error.advice }];
    }
  } finally {
    await media.close();
  }
  return [{ check: 'storage', level: 'ok', message: `object storage (${where}) responds and accepts the credentials` }];
}
