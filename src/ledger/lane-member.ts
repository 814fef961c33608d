import type { LaneMember } from '../limits/lanes.ts';
import type { LedgerRecord } from './record.ts';

/** A job as its lane sees it: a scheduled one is as old as its due time. */
export function laneMemberOf({ id, account, request, createdAt, scheduledAt }: LedgerRecord): LaneMember {
  return { id, account, priority: request.priority ?? 0, since: Math.max(createdAt, scheduledAt ?? 0) };
}
