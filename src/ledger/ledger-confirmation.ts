import { PublishError } from '../core/publish-error.ts';
import type { Confirmation, Confirmed } from '../redis/confirmation.ts';
import type { Keys } from '../redis/keys.ts';
import type { LedgerRecord } from './record.ts';

/**
 * Proofs that what the ledger wrote survives a failover. Few changes need one: those that somebody else relies on, and
 * those before something that can't be taken back. docs/operations.md says which, and what they cost.
 */
export function createLedgerConfirmation({ confirmation, keys }: { confirmation: Confirmation; keys: Keys }) {
  return {
    /**
     * Proves that the last change of a record survives a failover, before something that can't be taken back.
     * @throws PublishError `REDIS_NOT_REPLICATED`; `INTERNAL_OVERTAKEN` when somebody else owns it by now, or when what
     * we wrote went to a server that is no longer the master
     */
    async confirm({ id, fence, revision }: LedgerRecord): Promise<void> {
      const key = keys.job(id);
      const facts = [
        { key, field: 'fence', is: String(fence) },
        { key, field: 'revision', atLeast: revision },
      ];
      if ((await confirmation.confirm(facts)) === 'missing')
        throw new PublishError('INTERNAL_OVERTAKEN', { reason: id });
    },

    /**
     * As {@link confirm}, for who changed a record without owning it. The revision proves nothing here: at the present
     * master others may have counted on to it, while the change went to a server that is no longer the master.
     * @param field one that the change has set to what it now is
     * @throws PublishError `REDIS_NOT_REPLICATED`, `INTERNAL_OVERTAKEN`
     */
    async confirmIntervention(
      { id, ...record }: LedgerRecord,
      field: 'state' | 'cancelRequestedAt' | 'retriedAt' | 'changedAt',
    ): Promise<void> {
      const outcome = await confirmation.confirm([{ key: keys.job(id), field, is: String(record[field] ?? '') }]);
      if (outcome === 'missing') throw new PublishError('INTERNAL_OVERTAKEN', { reason: id });
    },

    /** Whether a record is gone for good. @throws PublishError `REDIS_NOT_REPLICATED` */
    async confirmGone(id: string): Promise<Confirmed> {
      return await confirmation.confirm([{ key: keys.job(id), field: 'revision', is: '' }]);
    },

    /** Whether a record is there to stay. @throws PublishError `REDIS_NOT_REPLICATED` */
    async confirmCreated(id: string): Promise<Confirmed> {
      return await confirmation.confirm([{ key: keys.job(id), field: 'revision', atLeast: 1 }]);
    },
  };
}
