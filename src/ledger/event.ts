import { EVENT_SOURCE, type PublishEvent, type PublishEventType } from '../core/publish-job.ts';
import type { LedgerRecord } from './record.ts';

/**
 * A CloudEvents 1.0 JSON document without its opening `{"specversion","id",` part: the ledger's script puts the id in
 * front, since only there the revision that makes it unique is known.
 */
export function encodeEvent(type: PublishEventType, record: LedgerRecord, now: number): string {
  const event: Omit<PublishEvent, 'id' | 'specversion'> = {
    source: EVENT_SOURCE,
    type,
    subject: record.id,
    time: new Date(now).toISOString(),
    datacontenttype: 'application/json',
    data: {
      id: record.id,
      account: record.account,
      mode: record.mode,
      state: record.state,
      publishId: record.publishId ?? null,
      postIds: record.postIds,
      failure: record.failure ?? null,
      metadata: record.request.metadata ?? null,
    },
  };
  return JSON.stringify(event).slice(1);
}
