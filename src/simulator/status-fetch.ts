import { type ApiRoute, identifyCall } from './api-route.ts';
import { withOwnPublish } from './own-publish.ts';
import { type PublishState, publishStateAt } from './publish-status.ts';
import type { Publish } from './publishes.ts';

/** content-posting-api-reference-get-video-status, read 2026-11-22. */
export const statusFetch: ApiRoute = {
  endpoint: 'status',
  method: 'POST',
  path: '/v2/post/publish/status/fetch/',
  identify: identifyCall,
  act(world, request) {
    const demand = { endpoint: 'status', callsPerMinute: world.settings.limits.statusPerMinute } as const;
    return withOwnPublish(world, request, demand, (publish) => {
      const state = publishStateAt(publish, world.now(), world.settings);
      const showsAll = world.settings.switches.statusFields === 'all';
      return world.answers.ok(showsAll ? allFields(publish, state) : presentFields(publish, state));
    });
  },
};

/** As in the documentation's example: nothing is left out. The misspelling is TikTok's. */
function allFields(publish: Publish, state: PublishState): Record<string, unknown> {
  return {
    status: state.status,
    fail_reason: state.failReason ?? '',
    publicaly_available_post_id: state.shownPostIds.map(BigInt),
    uploaded_bytes: publish.upload?.acceptedBytes ?? 0,
    downloaded_bytes: state.downloadedBytes,
  };
}

/** As in answers integrators recorded: empty fields, and byte counts of finished publishes, are left out. */
function presentFields(publish: Publish, state: PublishState): Record<string, unknown> {
  const isMoving = state.status === 'PROCESSING_UPLOAD' || state.status === 'PROCESSING_DOWNLOAD';
  const uploadedBytes = publish.upload?.acceptedBytes ?? 0;
  return {
    status: state.status,
    ...(state.failReason === undefined ? {} : { fail_reason: state.failReason }),
    ...(state.shownPostIds.length === 0 ? {} : { publicaly_available_post_id: state.shownPostIds.map(BigInt) }),
    ...(isMoving && uploadedBytes > 0 ? { uploaded_bytes: uploadedBytes } : {}),
    ...(isMoving && state.downloadedBytes > 0 ? { downloaded_bytes: state.downloadedBytes } : {}),
  };
}
