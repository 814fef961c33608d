import type { Clock } from '../core/ports.ts';
import { createPublisher } from '../producers/create-publisher.ts';
import type { Publisher } from '../producers/publisher.ts';
import { createKeys } from '../redis/keys.ts';
import type { PublisherConfig } from './publisher-config.ts';
import type { connectPublisher } from './publisher-parts.ts';

/**
 * A publisher that is alone in its process, over the given settings. Connects at the first call; a call while Redis is
 * down fails at once, and the next one tries again.
 */
export function createPublisherFromConfig(config: PublisherConfig, clock: Clock = { now: Date.now }): Publisher {
  let opening: ReturnType<typeof connectPublisher> | undefined;
  return createPublisher({
    eventsKey: createKeys(config.queuePrefix).events,
    async checkCallbacks(entries) {
      if (entries.every(({ request }) => request.callbackUrl === undefined)) return;
      const { refuseCallbacks } = await import('../producers/refuse-callbacks.ts');
      refuseCallbacks(entries, config.outboundAllowHosts ?? []);
    },
    open() {
      // BullMQ and the Redis client take most of the loading time, so they are loaded at the first use.
      opening ??= import('./publisher-parts.ts')
        .then((parts) => parts.connectPublisher(config, clock))
        .catch((error: unknown) => {
          opening = undefined;
          throw error;
        });
      return opening;
    },
    async close() {
      await (await opening?.catch(() => undefined))?.close();
    },
  });
}
