import { z } from 'zod';
import { AUDIT_ACTIONS, type AuditEntry, type AuditFact, type AuditFilter, isAsked } from '../../core/access.ts';
import { parseStored } from '../../core/parse-stored.ts';
import { PublishError } from '../../core/publish-error.ts';
import type { Keys } from '../../redis/keys.ts';
import type { RedisClient } from '../../redis/lua-script.ts';

/** About so many lines are kept, the newest. */
const MAX_LINES = 100_000;
/** Lines read at a time. */
const PAGE_LINES = 500;
/** A page ends after so many lines, found or not, so that no question holds Redis up. */
const MAX_READ_LINES = 10_000;

const values = z.record(z.string(), z.unknown()).nullable();
const line = z.object({
  ...{ by: z.string(), subject: z.string(), account: z.string().nullable(), before: values, after: values },
  action: z.enum(AUDIT_ACTIONS),
});

/** A page of the trail, newest first. */
export interface AuditPage {
  readonly entries: readonly AuditEntry[];
  /** `cursor` of the next page; null on the last one. */
  readonly nextCursor: string | null;
}

export type AuditTrail = ReturnType<typeof createAuditTrail>;

/** Who did what, when: one stream, written after each change. */
export function createAuditTrail({ redis, keys }: { redis: RedisClient; keys: Keys }) {
  return {
    async add(fact: AuditFact): Promise<void> {
      await redis.xadd(keys.audit, 'MAXLEN', '~', MAX_LINES, '*', 'line', JSON.stringify(fact));
    },

    /** @throws PublishError `INPUT_INVALID` for a cursor that no page has given */
    async list(
      filter: AuditFilter,
      { limit, cursor }: { readonly limit: number; readonly cursor?: string | undefined },
    ): Promise<AuditPage> {
      if (cursor !== undefined && !/^\d{1,15}-\d{1,15}$/.test(cursor)) throw wrongCursor();
      const entries: AuditEntry[] = [];
      let end = cursor === undefined ? '+' : `(${cursor}`;
      for (let read = 0; read < MAX_READ_LINES; read += PAGE_LINES) {
        const lines = await redis.xrevrange(keys.audit, end, '-', 'COUNT', PAGE_LINES);
        for (const [id, [, json = '']] of lines) {
          end = `(${id}`;
          const fact = parseStored(line, json);
          if (fact === undefined || !isAsked(fact, filter)) continue;
          entries.push({ id, at: new Date(Number.parseInt(id, 10)).toISOString(), ...fact });
          if (entries.length === limit) return { entries, nextCursor: id };
        }
        if (lines.length < PAGE_LINES) return { entries, nextCursor: null };
      }
      return { entries, nextCursor: end.slice(1) };
    },
  };
}

function wrongCursor(): PublishError {
  const problems = [{ path: 'cursor', message: 'expected `nextCursor` of the previous page' }];
  return new PublishError('INPUT_INVALID', { problems });
}
