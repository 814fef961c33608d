import { type ApiRoute, identifyCall } from './api-route.ts';
import { withOwnPublish } from './own-publish.ts';
import { isSettled, publishStateAt, transferredAtOf } from './publish-status.ts';
import type { Publish } from './publishes.ts';
import type { World } from './world.ts';

/** content-posting-api-media-transfer-guide, "Cancel ongoing pull from URL tasks", read 2026-11-22. */
export const cancelPublish: ApiRoute = {
  endpoint: 'cancel',
  method: 'POST',
  path: '/v2/post/publish/cancel/',
  identify: identifyCall,
  act(world, request) {
    return withOwnPublish(world, request, { endpoint: 'cancel', callsPerMinute: undefined }, (publish) => {
      if (!isCancellable(world, publish)) return world.answers.refuse('publish_not_cancellable');
      publish.ended = { at: world.now(), reason: 'publish_cancelled' };
      return world.answers.ok();
    });
  },
};

/** Only while bytes are on their way: once processing has begun it is too late. */
function isCancellable(world: World, publish: Publish): boolean {
  const now = world.now();
  const isAllowed = publish.pull !== undefined || world.settings.switches.cancelFileUpload === 'accept';
  const transferredAt = transferredAtOf(publish, world.settings);
  const isMoving = transferredAt === undefined || transferredAt > now;
  return isAllowed && isMoving && !isSettled(publishStateAt(publish, now, world.settings));
}
