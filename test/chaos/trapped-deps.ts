import type { Change } from '../../src/ledger/change.ts';
import type { LedgerRecord } from '../../src/ledger/record.ts';
import type { RedisClient } from '../../src/redis/lua-script.ts';
import type { PutChunkInput } from '../../src/tiktok/index.ts';
import type { WorkerDeps } from '../../src/workers/deps.ts';
import { type Traps, tell } from './traps.ts';

/** The worker's ports, each call passing the traps before and after; tells which jobs the process owns. */
export function withTraps(deps: WorkerDeps, traps: Traps): WorkerDeps {
  const around =
    <A extends unknown[], R>(step: string, call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      traps.pass(step, 'before');
      const answer = await call(...args);
      traps.pass(step, 'after');
      return answer;
    };
  /** A commit is a step by each fact that it writes. */
  const aroundCommit = <More extends unknown[], R>(
    commit: (record: LedgerRecord, change: Change, ...more: More) => Promise<R>,
  ) => {
    return async (record: LedgerRecord, change: Change, ...more: More): Promise<R> => {
      const trapped = around(`commit:${change.cause.event}`, commit);
      const { also } = change;
      return await (also === undefined ? trapped : around(`commit:${also.event}`, trapped))(record, change, ...more);
    };
  };
  const { ledger, queues, tiktok, tokens, sealer, videoClaims } = deps;
  /** Whose upload URL it is; the context it was sealed to ends with the job's id. */
  const jobOfUrl = new Map<string, string>();
  return {
    ...deps,
    ledger: {
      ...ledger,
      create: around('create', ledger.create),
      note: around('note', ledger.note),
      async claim(id, ...how) {
        traps.pass('claim', 'before');
        const claim = await ledger.claim(id, ...how);
        if (claim.kind === 'claimed') {
          tell({ kind: 'claimed', id, askedAt: performance.timeOrigin + claim.askedAt, at: Date.now() });
        }
        traps.pass('claim', 'after');
        return claim;
      },
      claimsOf(...how) {
        const claims = ledger.claimsOf(...how);
        const prepareFetch: typeof claims.prepareFetch = (script, connection) =>
          around(`bull:${script.name}`, claims.prepareFetch(script, connection));
        return { ...claims, prepareFetch };
      },
      commit: aroundCommit(ledger.commit),
      commitAndLeave: aroundCommit(ledger.commitAndLeave),
    },
    videoClaims: { claim: around('claimVideo', videoClaims.claim) },
    queues: {
      ...queues,
      addStatusEntry: around('addStatusEntry', queues.addStatusEntry),
      replaceStatusEntry: around('replaceStatusEntry', queues.replaceStatusEntry),
      addRecheckEntry: around('addRecheckEntry', queues.addRecheckEntry),
      replacePublishEntry: around('replacePublishEntry', (entry) => queues.replacePublishEntry(entry)),
    },
    tiktok: {
      ...tiktok,
      initDirectVideo: around('init', tiktok.initDirectVideo),
      initInboxVideo: around('init', tiktok.initInboxVideo),
      initPhotos: around('init', tiktok.initPhotos),
      fetchStatus: around('fetchStatus', tiktok.fetchStatus),
      putChunk: around('put', async (input) => {
        const id = jobOfUrl.get(input.uploadUrl) ?? '';
        return await tiktok.putChunk({ ...input, body: trappedBody(id, input, traps) });
      }),
    },
    sealer: {
      ...sealer,
      async seal(url, context) {
        jobOfUrl.set(url, context.slice(context.indexOf(':') + 1));
        return await sealer.seal(url, context);
      },
      async open(sealed, context) {
        const opened = await sealer.open(sealed, context);
        jobOfUrl.set(opened, context.slice(context.indexOf(':') + 1));
        return opened;
      },
    },
    tokens: { accessToken: around('accessToken', tokens.accessToken) },
  };
}

/**
 * Tells of each piece that goes out. Cuts the one in which a trap lies; at a piece's edge the trap acts before the next
 * piece is asked for.
 */
function trappedBody(id: string, { body }: PutChunkInput, traps: Traps): PutChunkInput['body'] {
  const inside = traps.insideChunk();
  return async function* trapped() {
    let restBytes = inside?.afterBytes ?? Number.POSITIVE_INFINITY;
    if (restBytes === 0) inside?.spring();
    for await (const piece of body()) {
      tell({ kind: 'sending', id, at: Date.now() });
      const isHere = restBytes > 0 && restBytes <= piece.byteLength;
      yield isHere ? piece.subarray(0, restBytes) : piece;
      if (isHere) inside?.spring();
      if (isHere && restBytes < piece.byteLength) yield piece.subarray(restBytes);
      restBytes -= piece.byteLength;
    }
  };
}

/** BullMQ's other steps that change who works on an entry. */
const BULL_STEPS = ['extendLocks', 'moveStalledJobsToWait'];

/** Lets BullMQ's own scripts, sent over the worker's connection, pass the traps as `bull:<name>`, as fetches do. */
export function trapBullScripts(client: RedisClient, traps: Traps): void {
  const define = client.defineCommand.bind(client);
  client.defineCommand = (name, definition) => {
    define(name, definition);
    const [step = ''] = name.split(':');
    const run: unknown = Reflect.get(client, name);
    if (!BULL_STEPS.includes(step) || typeof run !== 'function') return;
    const trapped = async (...args: unknown[]): Promise<unknown> => {
      traps.pass(`bull:${step}`, 'before');
      const answer: unknown = await Reflect.apply(run, client, args);
      traps.pass(`bull:${step}`, 'after');
      return answer;
    };
    Reflect.set(client, name, trapped);
  };
}
