import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { PublishError } from '../core/publish-error.ts';
import type { PulledMediaOptions } from '../http/pulled-media.ts';
import { createPullGateway } from '../media/pull-gateway.ts';
import { withRedisErrors } from '../redis/redis-unavailable.ts';
import type { App } from './open-app.ts';
import type { RedisParts } from './redis-parts.ts';
import { openMediaOf } from './worker-parts.ts';

/** TikTok gives files of this name (`tiktok` and a random text). */
const VERIFICATION_NAME = /^tiktok[\w-]+\.txt$/;
const VARIABLE = 'TIKTOK_VERIFICATION_FILES';

/**
 * What the web server gives to TikTok; undefined where nobody knows how TikTok reaches it.
 * @throws PublishError `CONFIG_INVALID` for a verification file that cannot be read
 */
export async function pulledMediaOf(
  app: App,
  { ledger }: Pick<RedisParts, 'ledger'>,
): Promise<Omit<PulledMediaOptions, 'log'> | undefined> {
  const { config, requestSecrets, sealer, clock } = app;
  const { baseUrl, verificationFiles } = config.pull;
  if (baseUrl === undefined) return undefined;
  return {
    open: createPullGateway({
      ...{ openMedia: openMediaOf(app), requestSecrets, sealer, clock },
      readJob: (id) => withRedisErrors(() => ledger.read(id)),
    }),
    drainMs: config.shutdownTimeoutMs,
    verificationFiles: await readVerificationFiles(verificationFiles),
  };
}

/** The texts of the files by which TikTok verifies our address, by their names. @throws PublishError `CONFIG_INVALID` */
async function readVerificationFiles(paths: readonly string[]): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for (const path of paths) {
    const name = basename(path);
    if (!VERIFICATION_NAME.test(name))
      throw invalid(`expected files named tiktok….txt, as TikTok gives them, got ${path}`);
    try {
      texts.set(name, await readFile(path, 'utf8'));
    } catch (error) {
      throw invalid(`expected a file that can be read, got ${path}`, error);
    }
  }
  return texts;
}

function invalid(message: string, cause?: unknown): PublishError {
  return new PublishError('CONFIG_INVALID', { problems: [{ path: VARIABLE, message }] }, { cause });
}
