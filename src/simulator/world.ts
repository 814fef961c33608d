import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Accounts } from './accounts.ts';
import { Answers } from './answers.ts';
import { Conformance } from './conformance.ts';
import type { Endpoint } from './faults.ts';
import { Faults } from './faults.ts';
import { Journal } from './journal.ts';
import type { SimulatorSettings } from './options.ts';
import { isSettled, publishStateAt, transferredAtOf } from './publish-status.ts';
import { viewPosts, viewPublish } from './publish-views.ts';
import { type Publish, Publishes } from './publishes.ts';
import { SeededRandom } from './random.ts';
import { Webhooks } from './webhooks.ts';
import { SlidingWindow } from './windows.ts';

const MINUTE_MS = 60_000;

/** Everything the simulated TikTok knows. Routes read and change it; nothing is shared between simulators. */
export class World {
  readonly settings: SimulatorSettings;
  readonly answers: Answers;
  readonly accounts: Accounts;
  readonly publishes: Publishes;
  readonly faults: Faults;
  readonly journal: Journal;
  readonly webhooks: Webhooks;
  readonly conformance = new Conformance();
  readonly closing = new AbortController();
  /** Where the simulator listens, `http://host:port`; known once it does. */
  origin = '';
  readonly #calls = new Map<Endpoint, SlidingWindow>();

  constructor(settings: SimulatorSettings) {
    const stream = (purpose: string) => new SeededRandom(settings.seed, purpose);
    this.settings = settings;
    // Every slow request listens for the end; Node takes more than ten listeners for a leak.
    setMaxListeners(0, this.closing.signal);
    this.answers = new Answers(stream('log ids'), settings.switches);
    this.accounts = new Accounts(settings, stream('accounts'));
    this.publishes = new Publishes(settings, stream('publishes'));
    this.faults = new Faults(stream('faults'));
    this.webhooks = new Webhooks(settings, stream('webhooks'), (ms) => this.wait(ms));
    this.journal = new Journal(settings.journalLimit, {
      publishes: () => this.publishes.all().map((publish) => viewPublish(publish, this.now(), settings)),
      receivedBytes: (publishId) => this.publishes.get(publishId)?.upload?.receivedBytes ?? 0,
      posts: () => this.publishes.all().flatMap((publish) => viewPosts(publish, this.now(), settings)),
    });
  }

  now(): number {
    return this.settings.clock.now();
  }

  /** The per-minute window of an endpoint, keyed by open_id. */
  callsPerMinute(endpoint: Endpoint): SlidingWindow {
    const window = this.#calls.get(endpoint) ?? new SlidingWindow(MINUTE_MS);
    this.#calls.set(endpoint, window);
    return window;
  }

  /** Waits in real time; resolves to false when the simulator closed meanwhile. */
  async wait(ms: number): Promise<boolean> {
    try {
      await sleep(ms, undefined, { signal: this.closing.signal });
      return true;
    } catch {
      return false;
    }
  }

  /** The user disconnects the app: tokens stop working and publishes under way fail. */
  revokeGrant(openId: string, reason: 'by_user' | 'by_developer' = 'by_user'): void {
    this.accounts.revoke(openId);
    this.webhooks.authorizationRemoved(openId, reason);
    const now = this.now();
    for (const publish of this.publishes.all()) {
      if (publish.openId !== openId || isSettled(publishStateAt(publish, now, this.settings))) continue;
      publish.ended = { at: now, reason: 'auth_removed' };
    }
  }

  /**
   * The person opens a draft in the inbox and posts it.
   * @returns The post's id.
   * @throws Error when there is no such draft in the inbox.
   */
  postDraft(publishId: string, isPublic: boolean): string {
    const publish = this.#mustFind(publishId);
    const { status } = publishStateAt(publish, this.now(), this.settings);
    if (publish.kind !== 'inbox' || (status !== 'SEND_TO_USER_INBOX' && status !== 'PUBLISH_COMPLETE')) {
      throw new Error(`expected a draft in the inbox, got a ${publish.kind} publish in state ${status}`);
    }
    const post = { postId: this.publishes.newPostId(), at: this.now(), isPublic };
    publish.draftPosts.push(post);
    return post.postId;
  }

  /**
   * Ends the processing of a publish now, also of one that a fault made stuck.
   * @throws Error when its bytes are not all in and no reason to fail was given.
   */
  settle(publishId: string, failReason?: string): void {
    const publish = this.#mustFind(publishId);
    const now = this.now();
    if (failReason !== undefined) {
      publish.ended = { at: now, reason: failReason };
      return;
    }
    const transferredAt = transferredAtOf(publish, this.settings);
    if (transferredAt === undefined || transferredAt > now) throw new Error(`${publishId} lacks bytes`);
    publish.stuck = false;
    publish.processedAt = now;
  }

  /** Forgets publishes, posts, requests, faults and used quota; accounts and their tokens stay. */
  reset(): void {
    this.publishes.clear();
    this.webhooks.clear();
    this.journal.clear();
    this.conformance.clear();
    this.faults.clear();
    this.#calls.clear();
  }

  #mustFind(publishId: string): Publish {
    const publish = this.publishes.get(publishId);
    if (publish === undefined) throw new Error(`no publish ${publishId}`);
    return publish;
  }
}
