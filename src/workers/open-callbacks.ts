import { createDeliveryLog } from '../callbacks/delivery-log.ts';
import { createDeliveryOrder } from '../callbacks/delivery-order.ts';
import { createHostGate } from '../callbacks/host-gate.ts';
import { openEndpointHealth } from '../callbacks/open-callback-desk.ts';
import { createCallbackSigner } from '../callbacks/signer.ts';
import { ELEVEN_TRIES_IN_A_DAY } from '../core/callback-schedule.ts';
import type { Foundation } from '../foundation/foundation.ts';
import { parseAllowList } from '../outbound/allow-list.ts';
import { createOutboundAgent } from '../outbound/outbound-agent.ts';
import type { Queues } from '../queues/queues.ts';
import type { RedisClient } from '../redis/lua-script.ts';
import type { Callbacks } from './callback-deps.ts';

/** Puts together what brings events to callback URLs. */
export async function openCallbacks(
  foundation: Foundation,
  { redis, queues }: { readonly redis: RedisClient; readonly queues: Queues },
): Promise<Callbacks> {
  const { config, keys, callbackSecrets } = foundation;
  const { retentionMs } = config;
  const allowed = parseAllowList(config.outboundAllowHosts);
  const agent = createOutboundAgent({ allowed });
  foundation.onClose(() => agent.destroy());
  const schedule = ELEVEN_TRIES_IN_A_DAY;
  return {
    delivery: {
      ...{ agent, allowed, clock: Date, timeoutMs: schedule.timeoutMs },
      signer: createCallbackSigner(callbackSecrets),
    },
    log: createDeliveryLog({ redis, keys, retentionMs }),
    order: createDeliveryOrder({ redis, keys, queues }),
    endpoints: openEndpointHealth({ redis, keys, queues, retentionMs }),
    gate: createHostGate({ redis, keys, queues, clock: Date }),
    schedule,
    relay: { redis: await foundation.connect('blocking'), keys },
  };
}
