import type { Service } from '../../app/open-service.ts';
import { PublishError } from '../../core/publish-error.ts';
import { QUEUE_NAMES } from '../../ledger/queues/queue-names.ts';

/** What was measured, in ms. */
export interface Samples {
  readonly pingMs: number[];
  /** Duration of a call of `enqueue`. */
  readonly enqueueMs: number[];
  /** From its answer until a worker owns the job; 0 where the worker was quicker than the answer. */
  readonly claimMs: number[];
  /** From the planned time of a poll until TikTok is asked. */
  readonly pollMs: number[];
}

/** Counts and times what a service does. */
export class Meter {
  samples: Samples = { pingMs: [], enqueueMs: [], claimMs: [], pollMs: [] };
  uploaded = 0;
  published = 0;
  /** When anything was uploaded or published (`performance.now()`). */
  lastChangeAt = 0;
  readonly #acceptedAt = new Map<string, number>();
  readonly #claimed = new Set<string>();
  #waiter: { isMet(): boolean; resolve(): void; reject(error: unknown): void } | undefined;
  #failure: { readonly error: unknown } | undefined;

  /** Begins anew, while nothing runs. */
  begin(): Samples {
    this.samples = { pingMs: [], enqueueMs: [], claimMs: [], pollMs: [] };
    this.uploaded = 0;
    this.published = 0;
    return this.samples;
  }

  /** The service as its workers have to see it. */
  watch(service: Service): Service {
    const { ledger, metrics } = service;
    const claim: typeof ledger.claim = async (id, run, ...rest) => {
      const claimed = await ledger.claim(id, run, ...rest);
      if (run.entry.startsWith(`${QUEUE_NAMES.publish}:`)) this.#onClaim(id);
      return claimed;
    };
    const measured: Partial<typeof metrics> = {
      pollLag: (lagMs) => this.samples.pollMs.push(lagMs),
      uploadEnded: () => this.#onChange({ uploaded: 1, published: 0 }),
      jobEnded: ({ outcome }) => {
        const reason = `a publish to the simulated TikTok ended as ${outcome}`;
        if (outcome !== 'published') this.fail(new PublishError('INTERNAL_ERROR', { reason }));
        this.#onChange({ uploaded: 0, published: 1 });
      },
    };
    return { ...service, ledger: { ...ledger, claim }, metrics: { ...metrics, ...measured } };
  }

  /** Called with the answer of `enqueue`. */
  accepted(id: string): void {
    if (this.#claimed.has(id)) this.samples.claimMs.push(0);
    this.#acceptedAt.set(id, performance.now());
  }

  /** Ends the measurement: who waits, now or later, gets the first error. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#waiter?.reject(this.#failure.error);
  }

  /** Waits for something that uploads and outcomes change; one caller at a time. */
  until(isMet: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiter = { isMet, resolve, reject };
      if (this.#failure !== undefined) reject(this.#failure.error);
      this.#onChange({ uploaded: 0, published: 0 });
    });
  }

  #onChange(more: { readonly uploaded: number; readonly published: number }): void {
    this.uploaded += more.uploaded;
    this.published += more.published;
    this.lastChangeAt = performance.now();
    if (this.#waiter?.isMet() === true) this.#waiter.resolve();
  }

  #onClaim(id: string): void {
    const acceptedAt = this.#acceptedAt.get(id);
    if (acceptedAt !== undefined && !this.#claimed.has(id)) this.samples.claimMs.push(performance.now() - acceptedAt);
    this.#claimed.add(id);
  }
}
