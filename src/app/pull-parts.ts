import type { PulledMediaOptions } from '../http/pulled-media.ts';
import { createPullGateway } from '../media/pull-gateway.ts';
import { readVerificationFiles } from '../media/verification-files.ts';
import { withRedisErrors } from '../redis/redis-unavailable.ts';
import type { App } from './open-app.ts';
import type { RedisParts } from './redis-parts.ts';
import { mediaOf } from './worker-parts.ts';

/**
 * What the web server gives to TikTok; undefined where nobody knows how TikTok reaches it.
 * @throws PublishError `CONFIG_INVALID` for a verification file that cannot be read
 */
export async function pulledMediaOf(
  app: App,
  { ledger }: Pick<RedisParts, 'ledger'>,
): Promise<PulledMediaOptions | undefined> {
  const { config, requestSecrets, sealer, clock, log } = app;
  const { baseUrl, verificationFiles } = config.pull;
  if (baseUrl === undefined) return undefined;
  return {
    open: createPullGateway({
      ...{ openMedia: mediaOf(app).openMedia, requestSecrets, sealer, clock, log },
      readJob: (id) => withRedisErrors(() => ledger.read(id)),
    }),
    drainMs: config.shutdownTimeoutMs,
    verificationFiles: await readVerificationFiles(verificationFiles),
  };
}
