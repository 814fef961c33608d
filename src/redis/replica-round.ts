import { Cluster, Redis } from 'ioredis';
import { z } from 'zod';
import { SECOND_MS } from '../core/units.ts';
import type { ConfirmationRound, WrittenFact } from './confirmation.ts';
import type { RedisClient } from './lua-script.ts';
import { parseInfo } from './server-facts.ts';

/** Says whether a server still is the master. @throws Error why that can't be said */
export interface MasterCheck {
  check(runId: string): Promise<void>;
  close(): Promise<void>;
}

export interface ReplicaRoundOptions {
  /** A connection of role `confirmation`. */
  readonly client: RedisClient;
  /** A key that each look writes, so that its wait covers every write before it. */
  readonly markKey: string;
  readonly replicas: number;
  readonly masterCheck?: MasterCheck | undefined;
  readonly close: () => Promise<void>;
}

/** How long all connected replicas are waited for: the one that is left out could be the next master (ms). */
const ALL_REPLICAS_MS = 200;
/** How long as many as are asked for are waited for (ms). */
const REPLICAS_MS = SECOND_MS;
const MARK_KEPT_MS = 60 * SECOND_MS;

/**
 * Answers for each fact whether it is there, and leaves a write behind that a replica gets after all writes before.
 *
 * KEYS[1] the mark, then the hash of each fact. ARGV: the mark's text and how long it is kept (ms), then for each fact
 * its field, `is` or `atLeast`, and the value.
 */
const LOOK_LUA = `
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
local answers = {}
for i = 2, #KEYS do
  local at = 3 + (i - 2) * 3
  local seen, wanted = redis.call('HGET', KEYS[i], ARGV[at]), ARGV[at + 2]
  local isThere
  if ARGV[at + 1] == 'is' then isThere = (seen or '') == wanted
  else isThere = seen and tonumber(seen) >= tonumber(wanted) end
  answers[i - 1] = isThere and 1 or 0
end
return answers
`;

const answersSchema = z.array(z.int());

/**
 * Looks at the present master: are the facts there, do its replicas have what it has (`WAIT` covers all writes before
 * it), and is it the master still? One that was frozen takes writes for a while after another one was promoted.
 */
export function createReplicaRound(options: ReplicaRoundOptions): ConfirmationRound {
  const { client, markKey, replicas, masterCheck } = options;
  let looks = 0;
  let connectedReplicas = replicas;
  let slot: number | undefined;

  async function masterNode(): Promise<Redis> {
    if (client instanceof Redis) return client;
    slot ??= await client.cluster('KEYSLOT', markKey);
    return nodeOfSlot(client, slot);
  }

  return {
    async look(facts) {
      const node = await masterNode();
      looks += 1;
      const answers = await node
        .pipeline()
        // As one list: a call takes no more than some ten thousand arguments, and a bulk of jobs brings more.
        .call('EVAL', [
          ...[LOOK_LUA, 1 + facts.length, markKey, ...facts.map(({ key }) => key)],
          ...[looks, MARK_KEPT_MS, ...argsOf(facts)],
        ])
        .info('server')
        .info('replication')
        .wait(Math.max(replicas, connectedReplicas), ALL_REPLICAS_MS)
        .exec();
      const [found, server, replication, acknowledged] = (answers ?? []).map(([error, answer]) => {
        if (error) throw error;
        return answer;
      });
      connectedReplicas = Number(parseInfo(String(replication))('connected_slaves'));
      let count = Number(acknowledged);
      if (count < replicas) count = await node.wait(replicas, REPLICAS_MS);
      // A server that was replaced has lost its replicas, too: that is told first.
      await masterCheck?.check(parseInfo(String(server))('run_id'));
      if (count < replicas) throw new Error(`${count} of ${replicas} replicas have confirmed the write`);
      return answersSchema.parse(found).map((answer) => answer === 1);
    },

    reconnect() {
      if (client instanceof Cluster) client.refreshSlotsCache();
      else client.disconnect(true);
    },

    async close() {
      await Promise.all([options.close(), masterCheck?.close()]);
    },
  };
}

function argsOf(facts: readonly WrittenFact[]): (string | number)[] {
  return facts.flatMap((fact) => ('is' in fact ? [fact.field, 'is', fact.is] : [fact.field, 'atLeast', fact.atLeast]));
}

function nodeOfSlot(cluster: Cluster, slot: number): Redis {
  const [address] = cluster.slots[slot] ?? [];
  const node = cluster.nodes('master').find(({ options: { host, port } }) => `${host}:${port}` === address);
  if (node === undefined) throw new Error('the master of our hash slot is unknown');
  return node;
}
