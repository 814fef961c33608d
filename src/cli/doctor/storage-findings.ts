import type { Config } from '../../config/load-config.ts';
import { PublishError } from '../../core/publish-error.ts';
import { createMediaOpener } from '../../media/open-media.ts';
import type { Finding } from './finding.ts';

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
