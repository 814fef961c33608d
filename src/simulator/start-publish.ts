import type { AccountProfile } from './accounts.ts';
import type { RefusalCode } from './answers.ts';
import type { ApiResult } from './api-route.ts';
import type { PostInfo, Publish } from './publishes.ts';
import { startPullDownload } from './pull-download.ts';
import { pullUrlRefusal } from './pull-url-rules.ts';
import { parseSource } from './source-info.ts';
import type { World } from './world.ts';

/** An init that passed the checks common to all calls. */
export interface PublishWish {
  account: AccountProfile;
  kind: 'direct' | 'inbox';
  sourceInfo: unknown;
  postInfo: PostInfo;
  /** Privacy and caps, checked after parameters and URL ownership. */
  permit(): RefusalCode | undefined;
}

/** The end of every init: source rules, URL ownership, the permit, then a new publish. */
export function startPublish(world: World, wish: PublishWish): ApiResult {
  const { openId } = wish.account;
  const parsed = parseSource(wish.sourceInfo, world.settings.switches.megabyte);
  if ('refusal' in parsed) {
    return { answer: world.answers.refuse('invalid_params', { message: parsed.refusal }), openId };
  }
  const { source } = parsed;
  const urlRefusal = source.source === 'PULL_FROM_URL' ? pullUrlRefusal(source.videoUrl, world.settings) : undefined;
  const refusal = urlRefusal ?? wish.permit();
  if (refusal !== undefined) return { answer: world.answers.refuse(refusal), openId };

  const publish = world.publishes.create(openId, wish.kind, source, wish.postInfo);
  world.webhooks.watch(publish);
  if (publish.pull !== undefined && world.settings.fetchPulls) startPullDownload(world, publish, publish.pull);
  const answer = world.answers.ok({
    publish_id: publish.publishId,
    ...(publish.upload === undefined ? {} : { upload_url: uploadUrl(world, publish.upload) }),
  });
  return { answer, openId, publish };
}

function uploadUrl(world: World, { uploadId, uploadToken }: NonNullable<Publish['upload']>): string {
  return `${world.origin}/video/?upload_id=${uploadId}&upload_token=${uploadToken}`;
}
