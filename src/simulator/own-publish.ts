import type { AccountProfile } from './accounts.ts';
import type { Answer } from './answers.ts';
import { type ApiResult, publishingRoute } from './api-route.ts';
import { isSettled, type PublishState, publishStateAt, transferredAtOf } from './publish-status.ts';
import type { Publish } from './publishes.ts';
import type { World } from './world.ts';

/** Either scope lets a client ask about its publishes. */
const SCOPES = ['video.publish', 'video.upload'];

/** content-posting-api-reference-get-video-status, read 2026-11-22. */
export const statusFetch = publishingRoute({
  endpoint: 'status',
  path: '/v2/post/publish/status/fetch/',
  scopes: SCOPES,
  limit: 'statusPerMinute',
  act: onOwnPublish((world, publish) => {
    const state = publishStateAt(publish, world.now(), world.settings);
    const fields = statusFields(publish, state);
    return world.answers.ok(world.settings.switches.statusFields === 'all' ? fields : present(fields));
  }),
});

/** content-posting-api-media-transfer-guide, "Cancel ongoing pull from URL tasks", read 2026-11-22. */
export const cancelPublish = publishingRoute({
  endpoint: 'cancel',
  path: '/v2/post/publish/cancel/',
  scopes: SCOPES,
  act: onOwnPublish((world, publish) => {
    if (!isCancellable(world, publish)) return world.answers.refuse('publish_not_cancellable');
    publish.ended = { at: world.now(), reason: 'publish_cancelled' };
    return world.answers.ok();
  }),
});

/** Hands `answer` the publish that the body names, if it is the caller's. */
function onOwnPublish(answer: (world: World, publish: Publish) => Answer) {
  return (world: World, { openId }: AccountProfile, { publish_id: publishId }: Record<string, unknown>): ApiResult => {
    if (typeof publishId !== 'string' || publishId === '') return { answer: world.answers.refuse('invalid_params') };
    const publish = world.publishes.get(publishId);
    if (publish === undefined || !isKnown(world, publish))
      return { answer: world.answers.refuse('invalid_publish_id') };
    if (publish.openId !== openId) {
      return { answer: world.answers.refuse('token_not_authorized_for_specified_publish_id') };
    }
    return { answer: answer(world, publish) };
  };
}

/** How long a publish_id lives is not documented; integrators saw `invalid_publish_id` for seconds after init. */
function isKnown(world: World, publish: Publish): boolean {
  const ageMs = world.now() - publish.initAt;
  const { publishIdUnknownForMs, publishIdLifetimeMs } = world.settings.switches;
  return ageMs >= publishIdUnknownForMs && (publishIdLifetimeMs === 0 || ageMs < publishIdLifetimeMs);
}

/** As in the documentation's example: nothing is left out. The misspelling is TikTok's. */
function statusFields(publish: Publish, state: PublishState) {
  return {
    status: state.status,
    fail_reason: state.failReason ?? '',
    publicaly_available_post_id: state.shownPostIds.map(BigInt),
    uploaded_bytes: publish.upload?.acceptedBytes ?? 0,
    downloaded_bytes: state.downloadedBytes,
  };
}

/** As in answers integrators recorded: empty fields, and byte counts of finished publishes, are left out. */
function present(fields: ReturnType<typeof statusFields>): Record<string, unknown> {
  const isMoving = fields.status === 'PROCESSING_UPLOAD' || fields.status === 'PROCESSING_DOWNLOAD';
  const isShown = ([name, value]: [string, unknown]) =>
    Array.isArray(value) ? value.length > 0 : Boolean(value) && (isMoving || !name.endsWith('_bytes'));
  return Object.fromEntries(Object.entries(fields).filter(isShown));
}

/** Only while bytes are on their way: once processing has begun it is too late. */
function isCancellable(world: World, publish: Publish): boolean {
  const now = world.now();
  const isAllowed = publish.pull !== undefined || world.settings.switches.cancelFileUpload === 'accept';
  const transferredAt = transferredAtOf(publish, world.settings);
  const isMoving = transferredAt === undefined || transferredAt > now;
  return isAllowed && isMoving && !isSettled(publishStateAt(publish, now, world.settings));
}
