import { isIP } from 'node:net';
import type { RefusalCode } from './answers.ts';
import type { ApiResult } from './api-route.ts';
import type { SimulatorSettings } from './options.ts';
import type { PostInfo, Publish } from './publishes.ts';
import { startPullDownload } from './pull-download.ts';
import type { ParsedSource, Source } from './source-info.ts';
import type { World } from './world.ts';

/** An init that passed the checks common to all calls. */
export interface PublishWish {
  openId: string;
  kind: 'direct' | 'inbox';
  source: ParsedSource;
  postInfo: PostInfo;
  /** The longest video that it may be, in seconds; undefined: none is. */
  maxSeconds?: number;
  /** Privacy and caps, checked after parameters and URL ownership. */
  permit(): RefusalCode | undefined;
}

/** The end of every init: source rules, URL ownership, the permit, then a new publish. */
export function startPublish(world: World, wish: PublishWish): ApiResult {
  if ('refusal' in wish.source) {
    return { answer: world.answers.refuse('invalid_params', { message: wish.source.refusal }) };
  }
  const { source } = wish.source;
  const refusal = urlRefusal(world, source) ?? wish.permit();
  if (refusal !== undefined) return { answer: world.answers.refuse(refusal) };

  const publish = world.publishes.create(wish, source);
  world.webhooks.watch(publish);
  if (publish.pull !== undefined && world.settings.fetchPulls) startPullDownload(world, publish, publish.pull);
  const answer = world.answers.ok({
    publish_id: publish.publishId,
    ...(publish.upload === undefined ? {} : { upload_url: uploadUrl(world, publish.upload) }),
  });
  return { answer, publish };
}

function urlRefusal(world: World, source: Source): RefusalCode | undefined {
  if (source.source !== 'PULL_FROM_URL') return undefined;
  return source.urls.map((url) => pullUrlRefusal(url, world.settings)).find((refusal) => refusal !== undefined);
}

function uploadUrl(world: World, { uploadId, uploadToken }: NonNullable<Publish['upload']>): string {
  return `${world.origin}/video/?upload_id=${uploadId}&upload_token=${uploadToken}`;
}

/**
 * Why TikTok will not pull from this URL, if so. A verified domain covers its subdomains and all paths; a verified
 * prefix covers what begins exactly so (content-posting-api-media-transfer-guide, read 2026-11-22).
 */
function pullUrlRefusal(videoUrl: string, settings: SimulatorSettings): RefusalCode | undefined {
  if (!URL.canParse(videoUrl)) return 'invalid_params';
  const url = new URL(videoUrl);
  if (settings.switches.pullUrlRules === 'off') return undefined;
  if (!isLetOff(url, settings)) {
    if (url.protocol !== 'https:') return 'invalid_params';
    // The host of a property is "a domain, not an IP address".
    if (isIP(url.hostname.replace(/^\[|\]$/g, '')) !== 0) return 'url_ownership_unverified';
  }
  const isVerified = settings.verifiedUrlPrefixes.some((property) =>
    property.includes('://') ? url.href.startsWith(property) : isWithinDomain(url.hostname, property),
  );
  return isVerified ? undefined : 'url_ownership_unverified';
}

/** Whether this URL need be neither https nor on a domain: it is on this machine, and the switch lets such URLs through. */
export function isLetOff({ hostname }: URL, { switches }: SimulatorSettings): boolean {
  return switches.pullUrlRules === 'loopback' && /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}

function isWithinDomain(hostname: string, domain: string): boolean {
  return hostname === domain || hostname.endsWith(`.${domain}`);
}
