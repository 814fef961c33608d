import { eventually } from '../../support/eventually.ts';
import type { RedisNode } from './redis-node.ts';

const KEYS_AT_A_TIME = 20;
const MIGRATE_TIMEOUT_MS = 5_000;
const PAUSE_MS = 100;

interface Move {
  readonly from: RedisNode;
  readonly fromId: string;
  readonly to: RedisNode;
  readonly toId: string;
  readonly masters: readonly RedisNode[];
}

/** Moves a slot as `redis-cli --cluster reshard` does: key by key, while it is used. */
export async function moveSlot(slot: number, { from, fromId, to, toId, masters }: Move): Promise<void> {
  await ask(to, 'SETSLOT', slot, 'IMPORTING', fromId);
  await ask(from, 'SETSLOT', slot, 'MIGRATING', toId);
  await eventually(
    async () => {
      const keys = await from.admin.call('CLUSTER', 'GETKEYSINSLOT', slot, KEYS_AT_A_TIME);
      if (!Array.isArray(keys) || keys.length === 0) return;
      const address = ['127.0.0.1', String(to.admin.options.port)];
      // REPLACE: what a busy machine did not answer in time is done again.
      await from.admin.call('MIGRATE', ...address, '', 0, MIGRATE_TIMEOUT_MS, 'REPLACE', 'KEYS', ...keys.map(String));
      throw new Error('there may be more keys in the slot');
    },
    { intervalMs: 0 },
  );
  // The new owner first: a moment without an owner would lose what is written then.
  for (const node of [to, from, ...masters.filter((other) => other !== to && other !== from)]) {
    await ask(node, 'SETSLOT', slot, 'NODE', toId);
  }
}

/** Each of these may be repeated, so a node that has no time is asked again. */
async function ask({ admin }: RedisNode, ...words: (string | number)[]): Promise<void> {
  await eventually(async () => (await admin.call('CLUSTER', ...words)) === 'OK', { intervalMs: PAUSE_MS });
}
