import type { RedisNode } from './redis-node.ts';

const KEYS_AT_A_TIME = 20;
const MIGRATE_TIMEOUT_MS = 5_000;

interface Move {
  readonly from: RedisNode;
  readonly fromId: string;
  readonly to: RedisNode;
  readonly toId: string;
  readonly masters: readonly RedisNode[];
}

/**
 * Moves a slot as `redis-cli --cluster reshard` does: key by key, while it is used. If it fails, as on a node that has no
 * time or was replaced meanwhile, it may be called again, with the masters that there are by then.
 */
export async function moveSlot(slot: number, { from, fromId, to, toId, masters }: Move): Promise<void> {
  await to.admin.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId);
  await from.admin.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId);
  for (;;) {
    const keys = await from.admin.call('CLUSTER', 'GETKEYSINSLOT', slot, KEYS_AT_A_TIME);
    if (!Array.isArray(keys) || keys.length === 0) break;
    const address = ['127.0.0.1', String(to.admin.options.port)];
    await from.admin.call('MIGRATE', ...address, '', 0, MIGRATE_TIMEOUT_MS, 'REPLACE', 'KEYS', ...keys.map(String));
  }
  // The new owner first: a moment without an owner would lose what is written then.
  for (const { admin } of [to, from, ...masters.filter((node) => node !== to && node !== from)]) {
    await admin.call('CLUSTER', 'SETSLOT', slot, 'NODE', toId);
  }
}
