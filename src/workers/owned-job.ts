import type { Change, Ledger } from '../ledger/ledger.ts';
import type { LedgerProgress, LedgerRecord } from '../ledger/record.ts';

/** A publish job this process owns: its present record, and the ways to change it. */
export class OwnedJob {
  #record: LedgerRecord;
  readonly #ledger: Ledger;

  constructor(record: LedgerRecord, ledger: Ledger) {
    this.#record = record;
    this.#ledger = ledger;
  }

  get record(): LedgerRecord {
    return this.#record;
  }

  /** @throws PublishError `INTERNAL_OVERTAKEN` */
  async commit(change: Change): Promise<void> {
    this.#record = await this.#ledger.commit(this.#record, change);
  }

  /**
   * @returns whether somebody asked to cancel the job
   * @throws PublishError `INTERNAL_OVERTAKEN`
   */
  async note(progress: LedgerProgress = {}, dueAt?: number): Promise<boolean> {
    const { cancelRequested } = await this.#ledger.note(this.#record, progress, dueAt);
    // Other notes may have been written meanwhile: add ours to what is known now.
    this.#record = { ...this.#record, ...progress };
    return cancelRequested;
  }
}
