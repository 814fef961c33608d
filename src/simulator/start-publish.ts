import type { AccountProfile } from './accounts.ts';
import type { RefusalCode } from './answers.ts';
import type { ApiResult } from './api-route.ts';
import type { PostInfo, Publish } from './publishes.ts';
import { startPullDownload } from './pull-download.ts';
import { pullUrlRefusal } from './pull-url-rules.ts';
import type { ParsedSource, Source } from './source-info.ts';
import type { World } from './world.ts';

/** An init that passed the checks common to all calls. */
export interface PublishWish {
  account: AccountProfile;
  kind: 'direct' | 'inbox';
  source: ParsedSource;
  postInfo: PostInfo;
  /** Privacy and caps, checked after parameters and URL ownership. */
  permit(): RefusalCode | undefined;
}

/** The end of every init: source rules, URL ownership, the permit, then a new publish. */
export function startPublish(world: World, wish: PublishWish): ApiResult {
  const { openId } = wish.account;
  if ('refusal' in wish.source) {
    return { answer: world.answers.refuse('invalid_params', { message: wish.source.refusal }), openId };
  }
  const { source } = wish.source;
  const refusal = urlRefusal(world, source) ?? wish.permit();
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

function urlRefusal(world: World, source: Source): RefusalCode | undefined {
  if (source.source !== 'PULL_FROM_URL') return undefined;
  for (const url of source.urls) {
    const refusal = pullUrlRefusal(url, world.settings);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

function uploadUrl(world: World, { uploadId, uploadToken }: NonNullable<Publish['upload']>): string {
  return `${world.origin}/video/?upload_id=${uploadId}&upload_token=${uploadToken}`;
}
