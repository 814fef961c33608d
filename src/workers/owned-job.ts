import type { Change } from '../ledger/change.ts';
import type { Ledger } from '../ledger/ledger.ts';
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
   * Proves that what was committed survives a failover.
   * @throws PublishError `REDIS_NOT_REPLICATED`, `INTERNAL_OVERTAKEN`
   */
  async confirm(): Promise<void> {
    await this.#ledger.confirm(this.#record);
  }

  /** @throws PublishError `INTERNAL_OVERTAKEN` */
  async note(progress: LedgerProgress = {}, dueAt?: number): Promise<void> {
    await this.#ledger.note(this.#record, progress, dueAt);
    this.#record = { ...this.#record, ...progress };
  }
}
