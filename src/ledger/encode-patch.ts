import type { PublishRequest } from '../core/publish-request.ts';
import { publishIdOf, type Session } from '../core/session.ts';
import type { LedgerRecord } from './record.ts';

/** A patch as flat hash fields to set, and the names of those to delete. */
interface EncodedPatch {
  readonly set: readonly string[];
  readonly remove: readonly string[];
}

/** Encodes a patch (or a whole record) for the hash, apart from what is known without it. */
export function encodePatch(patch: Partial<LedgerRecord>, known: Record<string, unknown> = {}): EncodedPatch {
  const set: string[] = [];
  const remove: string[] = [];
  const { request, session } = patch;
  const fields = {
    ...patch,
    ...(request && { request: withoutRepeated(request, patch) }),
    ...(session !== undefined && session !== known.session && sessionFields(session)),
  };
  for (const [field, value] of Object.entries(fields)) {
    if (field === 'session') continue;
    if (value === undefined) remove.push(field);
    else if (value !== known[field]) set.push(field, typeof value === 'object' ? JSON.stringify(value) : String(value));
  }
  return { set, remove };
}

/** A request without what other fields of the same record say. */
function withoutRepeated(request: PublishRequest, { account, mode }: Partial<LedgerRecord>): object {
  return {
    ...request,
    ...(request.account === account && { account: undefined }),
    ...(request.mode === mode && { mode: undefined }),
  };
}

/** The hash's fields of a session; all of them, so that a new session leaves nothing of the one before. */
function sessionFields(session: Session) {
  const upload = session.kind === 'upload' ? session : undefined;
  return {
    initIntendedAt: session.kind === 'init_sent' ? session.intendedAt : undefined,
    publishId: publishIdOf(session),
    uploadUrlSealed: upload?.urlSealed,
    uploadExpiresAt: upload?.urlExpiresAt,
    lastChunkStartedAt: upload?.lastChunkStartedAt,
    failedByTikTokAt: session.kind === 'failed' ? session.failedAt : undefined,
  };
}
