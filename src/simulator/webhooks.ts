import { createHmac } from 'node:crypto';
import { stringify } from 'lossless-json';
import type { z } from 'zod';
import { type SimulatorSettings, type WebhookTarget, webhookTargetSchema } from './options.ts';
import { publishStateAt } from './publish-status.ts';
import type { Publish } from './publishes.ts';
import type { SeededRandom } from './random.ts';

/** How often publishes are looked at for something to report. */
const LOOK_EVERY_MS = 25;
const ANSWER_TIMEOUT_MS = 10_000;
/** "retries up to 72 hours with exponential backoff", developers.tiktok.com/doc/webhooks-overview, read 2026-11-22. */
const RETRIED_FOR_MS = 72 * 3_600_000;

export interface WebhookDelivery {
  /** Name of the event, such as `post.publish.complete`. */
  event: string;
  /** Whose post it is about. */
  openId: string;
  /** Which publish it is about; undefined for `authorization.removed`. */
  publishId: string | undefined;
  /** HTTP status of each try; 0 where there was no answer. */
  answers: number[];
}

interface Report {
  event: string;
  openId: string;
  content: Record<string, unknown>;
}

/** Tells the app's webhook address what becomes of publishes, as TikTok does: signed, at least once, in no sure order. */
export class Webhooks {
  readonly deliveries: WebhookDelivery[] = [];
  readonly #settings: SimulatorSettings;
  readonly #random: SeededRandom;
  readonly #wait: (ms: number) => Promise<boolean>;
  readonly #unsettled = new Map<Publish, Set<string>>();
  #target: z.output<typeof webhookTargetSchema> | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param wait resolves to false when the simulator closed meanwhile */
  constructor(settings: SimulatorSettings, random: SeededRandom, wait: (ms: number) => Promise<boolean>) {
    this.#settings = settings;
    this.#random = random;
    this.#wait = wait;
    if (settings.webhooks !== undefined) this.sendTo(settings.webhooks);
  }

  /** Sends to another address from here on, or to none. */
  sendTo(target: WebhookTarget | undefined): void {
    this.#target = target === undefined ? undefined : webhookTargetSchema.parse(target);
    clearInterval(this.#timer);
    if (target !== undefined) this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS).unref();
  }

  /** Has a new publish reported on. */
  watch(publish: Publish): void {
    this.#unsettled.set(publish, new Set());
  }

  /** The user, or the developer, took the app's access back. */
  authorizationRemoved(openId: string, reason: 'by_user' | 'by_developer'): void {
    this.#send({ event: 'authorization.removed', openId, content: { reason: reason === 'by_user' ? 1 : 5 } });
  }

  clear(): void {
    this.#unsettled.clear();
    this.deliveries.length = 0;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = this.#settings.clock.now();
    for (const [publish, reported] of this.#unsettled) {
      const { events, isOver } = newEventsOf(publish, reported, now, this.#settings);
      for (const report of events) this.#send(report);
      if (isOver) this.#unsettled.delete(publish);
    }
  }

  #send(report: Report): void {
    if (this.#target === undefined) return;
    const copies = this.#random.next() < this.#target.duplicates ? 2 : 1;
    const createTime = Math.floor(this.#settings.clock.now() / 1_000);
    for (let copy = 0; copy < copies; copy++) void this.#deliver(report, createTime, this.#target);
  }

  async #deliver(report: Report, createTime: number, target: z.output<typeof webhookTargetSchema>): Promise<void> {
    const { event, openId, content } = report;
    const publishId = typeof content.publish_id === 'string' ? content.publish_id : undefined;
    const delivery: WebhookDelivery = { event, openId, publishId, answers: [] };
    this.deliveries.push(delivery);
    const { clientKey } = this.#settings;
    const body = JSON.stringify({
      ...{ client_key: clientKey, event, create_time: createTime, user_openid: openId },
      content: stringify(content),
    });
    let waitedMs = 0;
    for (let retryMs = target.firstRetryMs; waitedMs <= RETRIED_FOR_MS; retryMs *= 2) {
      const answer = await this.#post(target.url, body);
      delivery.answers.push(answer);
      waitedMs += retryMs;
      if (answer === 200 || !(await this.#wait(retryMs))) return;
    }
  }

  /** Signed anew at each try: `s` is the HMAC-SHA256 of `t`, a dot and the body (webhooks-verification, read 2026-11-22). */
  async #post(url: string, body: string): Promise<number> {
    const seconds = Math.floor(Date.now() / 1_000);
    const signature = createHmac('sha256', this.#settings.clientSecret).update(`${seconds}.${body}`).digest('hex');
    const headers = { 'content-type': 'application/json', 'tiktok-signature': `t=${seconds},s=${signature}` };
    try {
      const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
      const answer = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal });
      await answer.arrayBuffer();
      return answer.status;
    } catch {
      return 0;
    }
  }
}

/**
 * What there is to report of a publish that was not reported before (developers.tiktok.com/doc/webhooks-events, read
 * 2026-11-22).
 * @param reported what was; grows
 */
function newEventsOf(
  publish: Publish,
  reported: Set<string>,
  now: number,
  settings: SimulatorSettings,
): { events: Report[]; isOver: boolean } {
  const state = publishStateAt(publish, now, settings);
  const events: Report[] = [];
  const about = {
    publish_id: publish.publishId,
    publish_type: publish.kind === 'direct' ? 'DIRECT_POST' : 'INBOX_SHARE',
  };
  const report = (mark: string, event: string, details: Record<string, unknown> = {}) => {
    if (reported.has(mark)) return;
    reported.add(mark);
    events.push({ event: `post.publish.${event}`, openId: publish.openId, content: { ...about, ...details } });
  };
  if (state.status === 'FAILED') report('failed', 'failed', { reason: state.failReason });
  const isInInbox = publish.kind === 'inbox' && state.status !== 'FAILED' && !state.status.startsWith('PROCESSING');
  if (isInInbox) report('inbox', 'inbox_delivered');
  for (const { postId } of state.posts) report(`complete ${postId}`, 'complete');
  for (const postId of state.shownPostIds) {
    report(`public ${postId}`, settings.switches.publicWebhookSpelling, { post_id: BigInt(postId) });
  }
  const hasAllPosts = publish.kind === 'direct' && state.posts.length > 0;
  const isShown = state.posts.every((post) => !post.isPublic || state.shownPostIds.includes(post.postId));
  return { events, isOver: state.status === 'FAILED' || (hasAllPosts && isShown) };
}
