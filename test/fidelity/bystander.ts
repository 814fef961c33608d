import type { PublishJob } from '../../src/core/publish-job.ts';
import type { EnqueuedJob } from '../chaos/enqueue-job.ts';
import type { Stage } from '../chaos/stage.ts';
import type { Trap } from '../chaos/traps.ts';
import type { WorkerSlot } from '../chaos/worker-slot.ts';
import { refusalOf } from './explain.ts';
import type { CaseValues } from './factors.ts';

/** A job whose wait TikTok has explained is given this long to go on, then it is cancelled. */
const GIVEN_UP_AFTER_MS = 5_000;
const OTHERS_AFTER_MS = 4_000;
/** Longer than a simulated download takes. */
const HANGS_AFTER_MS = 1_500;

/** What happens around the jobs while they run: creators, TikTok, and people who give a job up. */
export class Bystander {
  /** Ids of jobs that were cancelled since they would wait for a day. */
  readonly givenUp = new Set<string>();
  readonly #stage: Stage;
  readonly #slots: readonly WorkerSlot[];
  readonly #values: CaseValues;
  /** When a job was first seen to wait so; `isOver`: what it waits for has happened, so that it has to go on by itself. */
  readonly #waits = new Map<string, { readonly since: number; isOver: boolean }>();
  readonly #reconnectedAfter = new Map<string, string>();
  #trap: { readonly trap: Trap; readonly at: number } | undefined;

  constructor(stage: Stage, slots: readonly WorkerSlot[], values: CaseValues) {
    this.#stage = stage;
    this.#slots = slots;
    this.#values = values;
  }

  /** Does what is due. */
  async look(jobs: readonly (EnqueuedJob & { readonly state: PublishJob })[]): Promise<void> {
    this.#minds();
    const troubled = jobs.find(({ name }) => name === 'troubled');
    if (troubled !== undefined) this.#settlesWhatHangs(troubled.openId);
    for (const job of jobs) await this.#caresFor(job);
  }

  /** Sets the trap in which one worker of the case is to die. */
  sets(trap: Trap): void {
    this.#trap = { trap, at: Date.now() };
    this.#slots[0]?.begin([trap], 0);
  }

  /** Where the first worker never comes to the trap, another one may; once one is dead, the others have nothing to fear. */
  #minds(): void {
    if (this.#trap === undefined) return;
    const { trap, at } = this.#trap;
    const hasKilled = this.#slots.some(({ counts }) => counts.kills > 0);
    if (!hasKilled && Date.now() - at < OTHERS_AFTER_MS) return;
    for (const slot of this.#slots) slot.begin(hasKilled ? [] : [trap], 0);
    this.#trap = hasKilled ? undefined : { trap, at: Number.POSITIVE_INFINITY };
  }

  /** TikTok comes to an end with what a fault has stopped. */
  #settlesWhatHangs(openId: string): void {
    const { fault } = this.#values;
    if (fault !== 'stuck_processing' && fault !== 'stall_download') return;
    const { simulator } = this.#stage;
    for (const { publishId, status, completeUploads, source, ...publish } of simulator.journal.publishes()) {
      const isOver = !status.startsWith('PROCESSING') || Date.now() - publish.initAt < HANGS_AFTER_MS;
      if (isOver || publish.openId !== openId) continue;
      if (fault === 'stuck_processing' && completeUploads > 0) simulator.settle(publishId);
      if (fault === 'stall_download' && source === 'PULL_FROM_URL') simulator.settle(publishId, 'video_pull_failed');
    }
  }

  async #caresFor(job: EnqueuedJob & { readonly state: PublishJob }): Promise<void> {
    const { id, openId, state } = job;
    await this.#reconnects(job);
    const refusal = refusalOf(state);
    if (refusal === undefined) {
      this.#waits.delete(id);
      return;
    }
    const { simulator, publisher } = this.#stage;
    const wait = this.#waits.get(id) ?? { since: Date.now(), isOver: false };
    this.#waits.set(id, wait);
    if (state.waitingFor === 'pending_share_cap' && this.#postsDraft(openId)) wait.isOver = this.#isTold();
    const isRefused = simulator.journal.requests({ code: refusal }).some((entry) => entry.openId === openId);
    if (!isRefused || wait.isOver || Date.now() - wait.since < GIVEN_UP_AFTER_MS) return;
    this.givenUp.add(id);
    await publisher.cancel(id).catch(() => undefined);
  }

  /** A person connects an account again whose refresh token TikTok has refused. */
  async #reconnects({ account, openId, state }: EnqueuedJob & { readonly state: PublishJob }): Promise<void> {
    const last = state.timeline.at(-1);
    if (last?.code !== 'AUTH_REAUTHORIZATION_REQUIRED' || last.at === this.#reconnectedAfter.get(openId)) return;
    if (this.#stage.simulator.journal.requests({ endpoint: 'token', code: 'invalid_grant' }).length === 0) return;
    this.#reconnectedAfter.set(openId, last.at);
    await this.#stage.reconnect(account, openId);
  }

  /** The creator posts a draft, so that another one finds its place. @returns whether there was one */
  #postsDraft(openId: string): boolean {
    const { simulator } = this.#stage;
    const drafts = simulator.journal.publishes().filter((publish) => publish.openId === openId);
    const draft = drafts.find(({ status }) => status === 'SEND_TO_USER_INBOX');
    if (draft === undefined) return false;
    simulator.postDraft(draft.publishId);
    return true;
  }

  /** A webhook makes us ask about a posted draft, so that we learn of its place, if TikTok still knows its publish_id. */
  #isTold(): boolean {
    const { webhooks, switches } = this.#values;
    return webhooks !== 'none' && switches.postedDraftFreesPlace && switches.publishIdLifetimeMs === 0;
  }
}
