import { describe, expect, it } from 'vitest';
import { publishIdOfEntryId, recheckEntryId } from '../../../../src/ledger/queues/job-ids.ts';
import { QUEUE_NAMES } from '../../../../src/ledger/queues/queue-names.ts';

describe('publishIdOfEntryId', () => {
  it.each(['order-12-34', '0199f3b2-7a1c-7def-8123-123456789012', 'bull-7-lq2x'])('finds %s in every queue', (id) => {
    expect(publishIdOfEntryId(QUEUE_NAMES.publish, id)).toBe(id);
    expect(publishIdOfEntryId(QUEUE_NAMES.status, id)).toBe(id);
    expect(publishIdOfEntryId(QUEUE_NAMES.status, recheckEntryId(id))).toBe(id);
    expect(publishIdOfEntryId(QUEUE_NAMES.events, `${id}-5-1`)).toBe(id);
  });
});
