import type { ConformanceReport } from './conformance.ts';
import { type Check, check } from './conformance-rules.ts';
import { isSettled, publishStateAt, transferredAtOf } from './publish-status.ts';
import { viewPublish } from './publish-views.ts';
import type { Publish } from './publishes.ts';
import type { World } from './world.ts';

/** How the client stands to TikTok's contract, by what was seen of it since the last reset. */
export function reportConformance(world: World): ConformanceReport {
  return world.conformance.report(judgeOutcomes(world), world.settings.switches);
}

/** What the publishes as they stand now, and the PUTs that overlapped, say about the rules of the contract. */
function judgeOutcomes(world: World): Check[] {
  const puts = world.journal.requests({ endpoint: 'upload' });
  const overlapping = puts.filter(({ chunk }) => chunk?.concurrent === true).map(({ seq }) => `request ${seq}`);
  const alone = puts.length === 0 ? [] : [check('put-alone', overlapping.length > 0 && overlapping.join(', '))];
  const publishes = world.publishes.all();
  return [...alone, ...publishes.flatMap((publish) => judgePublish(world, publish)), ...judgeRepeats(world, publishes)];
}

function judgePublish(world: World, publish: Publish): Check[] {
  const { publishId, seconds, maxSeconds, pull } = publish;
  const checks: Check[] = [];
  if (seconds !== undefined && maxSeconds !== undefined) {
    const isLonger = seconds > maxSeconds;
    checks.push(check('video-length', isLonger && `${publishId}: ${seconds} s, the creator may post ${maxSeconds} s`));
  }
  if (pull !== undefined && world.settings.fetchPulls) {
    const { refusedStatus, refusedPhoto } = pull;
    const isDone = publish.transferredAt !== undefined;
    if (isDone || refusedStatus !== undefined) {
      checks.push(check('pull-answers-200', refusedStatus !== undefined && `${publishId}: answered ${refusedStatus}`));
    }
    if (pull.media === 'photos' && (refusedPhoto || isDone)) {
      checks.push(check('photo-format', refusedPhoto && `${publishId}: neither JPEG nor WebP, or over 20 MB`));
    }
  }
  if (publish.isIdLost !== true && isTransferred(world, publish) && isSettled(stateOf(world, publish))) {
    checks.push(check('outcome-learnt', !isLearnt(world, publish) && `${publishId}: nobody asked how it ended`));
  }
  return checks;
}

/** Two posts, or drafts, of one account with the same media and text. */
function judgeRepeats(world: World, publishes: readonly Publish[]): Check[] {
  const byContent = new Map<string, string[]>();
  for (const publish of publishes) {
    if (!isTransferred(world, publish) || stateOf(world, publish).status === 'FAILED') continue;
    const content = contentOf(world, publish);
    byContent.set(content, [...(byContent.get(content) ?? []), publish.publishId]);
  }
  return [...byContent.values()].map((ids) =>
    check('posted-once', ids.length > 1 && `${ids.join(' and ')} are the same`),
  );
}

/** What makes a post the same as another one; its own id where that cannot be told. */
function contentOf(world: World, publish: Publish): string {
  const { openId, kind, publishId, pull, postInfo } = publish;
  const media = pull?.urls ?? viewPublish(publish, world.now(), world.settings).sha256 ?? publishId;
  return JSON.stringify([openId, kind, media, postInfo.title, postInfo.description]);
}

function isLearnt(world: World, { publishId, outcomeTold }: Publish): boolean {
  const isTold = world.webhooks.deliveries.some((one) => one.publishId === publishId && one.answers.includes(200));
  return outcomeTold === true || isTold;
}

function isTransferred(world: World, publish: Publish): boolean {
  const transferredAt = transferredAtOf(publish, world.settings);
  return transferredAt !== undefined && transferredAt <= world.now();
}

function stateOf(world: World, publish: Publish) {
  return publishStateAt(publish, world.now(), world.settings);
}
