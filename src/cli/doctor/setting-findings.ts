import { access, constants, stat } from 'node:fs/promises';
import type { Config } from '../../config/load-config.ts';
import type { Finding } from './finding.ts';

/** Keys in the TikTok developer portal are longer; this only tells a key from a place for one. */
const SHORTEST_CLIENT_KEY = 8;

/** What is valid as text and cannot be meant so; one `ok` where there is nothing. */
export async function settingFindings({
  mediaRoots = [],
  tiktok,
}: Pick<Config, 'mediaRoots' | 'tiktok'>): Promise<Finding[]> {
  const findings = [
    ...(await Promise.all(mediaRoots.map(rootFindings))).flat(),
    ...clientKeyFindings(tiktok.clientKey),
  ];
  return findings.length > 0 ? findings : [{ check: 'settings', level: 'ok', message: 'every setting is valid' }];
}

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
