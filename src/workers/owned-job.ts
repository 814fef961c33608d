import { performance } from 'node:perf_hooks';
import { PublishError } from '../core/publish-error.ts';
import { failed, type Settlement } from '../core/settlement.ts';
import type { Change } from '../ledger/change.ts';
import type { Claim, PollClaim, Run, Surroundings } from '../ledger/claim.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { LedgerProgress, LedgerRecord } from '../ledger/record.ts';

type ClaimedJob = Extract<Claim, { readonly kind: 'claimed' }>;

/** What an owner writes to. */
type OwnersLedger = Pick<Ledger, 'commit' | 'commitAndLeave' | 'note' | 'confirm'>;

/** A publish job this process owns: its present record, and the ways to change it. */
export class OwnedJob {
  #record: LedgerRecord;
  #provenAt: number;
  #statusCallAt: number | undefined;
  #jobsToWake: readonly string[] | undefined;
  readonly #ledger: OwnersLedger;
  /** As they were when the job was claimed. */
  readonly around: Surroundings;

  /** @param askedAt when the claim was sent (`performance.now()`) */
  constructor({ record, around }: Pick<ClaimedJob, 'record' | 'around'>, ledger: OwnersLedger, askedAt: number) {
    this.#record = record;
    this.#provenAt = askedAt;
    this.#ledger = ledger;
    this.#statusCallAt = around.statusCallAt;
    this.around = around;
  }

  /** Takes the status call that was booked with the claim: once. @returns when it may be made */
  takeStatusCall(): number | undefined {
    const at = this.#statusCallAt;
    this.#statusCallAt = undefined;
    return at;
  }

  /** When the last write was sent that proved that the job is ours: monotonic, and counting on while the process is frozen. */
  get provenAt(): number {
    return this.#provenAt;
  }

  get record(): LedgerRecord {
    return this.#record;
  }

  /** @throws PublishError `INTERNAL_OVERTAKEN` */
  async commit(change: Change): Promise<void> {
    const askedAt = performance.now();
    this.#record = await this.#ledger.commit(this.#record, change);
    this.#provenAt = askedAt;
  }

  /** The same, and leaves the account's lane. @throws PublishError `INTERNAL_OVERTAKEN` */
  async commitAndLeave(change: Change): Promise<void> {
    const askedAt = performance.now();
    const { record, jobsToWake } = await this.#ledger.commitAndLeave(this.#record, change);
    this.#record = record;
    this.#provenAt = askedAt;
    this.#jobsToWake = jobsToWake;
  }

  /** The jobs that have to be woken since this one left its lane; undefined while it has not left. */
  get jobsToWake(): readonly string[] | undefined {
    return this.#jobsToWake;
  }

  /**
   * Proves that what was committed survives a failover.
   * @throws PublishError `REDIS_NOT_REPLICATED`, `INTERNAL_OVERTAKEN`
   */
  async confirm(): Promise<void> {
    await this.#ledger.confirm(this.#record);
  }

  /** @throws PublishError `INTERNAL_OVERTAKEN` */
  async note(progress: LedgerProgress = {}, dueAt?: number): Promise<void> {
    await this.noteWith(async (record) => {
      await this.#ledger.note(record, progress, dueAt);
      return progress;
    });
  }

  /** Lets somebody else note progress with the proof that the job is ours. @param write resolves with what it noted */
  async noteWith(write: (record: LedgerRecord) => Promise<LedgerProgress>): Promise<void> {
    const askedAt = performance.now();
    const progress = await write(this.#record);
    this.#provenAt = askedAt;
    this.#record = { ...this.#record, ...progress };
  }
}

/** Becomes the owner of a job, if it is there and no later start of its entry owns it. */
export async function claimJob(
  id: string,
  run: Run,
  ledger: Ledger,
  poll?: PollClaim,
): Promise<OwnedJob | 'missing' | 'overtaken'> {
  const askedAt = performance.now();
  const claim = await ledger.claim(id, run, poll);
  return claim.kind === 'claimed' ? new OwnedJob(claim, ledger, askedAt) : claim.kind;
}

/** How an entry ends whose record was lost, or is kept no longer. */
export function recordIsGone(id: string): Settlement {
  return failed(new PublishError('JOB_NOT_FOUND', { reason: `no record of job ${id}, so nothing was sent` }));
}
