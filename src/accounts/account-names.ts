import type { Clock } from '../core/ports.ts';
import { MINUTE_MS } from '../core/units.ts';
import type { Keys } from '../redis/keys.ts';
import type { RedisClient } from '../redis/lua-script.ts';

const REMEMBERED_MS = MINUTE_MS;
const MOST_REMEMBERED = 10_000;

/** Tells an account's own name, so that jobs that go by its open_id share its lane and its quotas. */
export interface AccountNames {
  /** A name that no account of the vault has is given back as it is: the tokens may come from elsewhere. */
  resolve(nameOrOpenId: string): Promise<string>;
}

/** Looks names up in the vault and remembers those it has for a minute; another may be connected at any moment. */
export function createAccountNames({
  redis,
  keys,
  clock,
}: {
  redis: RedisClient;
  keys: Keys;
  clock: Clock;
}): AccountNames {
  const remembered = new Map<string, { name: string; until: number }>();
  return {
    async resolve(nameOrOpenId) {
      const now = clock.now();
      const known = remembered.get(nameOrOpenId);
      if (known !== undefined && known.until > now) return known.name;
      const [aliasOf, openId] = await redis.hmget(keys.account(nameOrOpenId), 'aliasOf', 'openId');
      const name = aliasOf ?? nameOrOpenId;
      if (!aliasOf && !openId) return name;
      if (remembered.size >= MOST_REMEMBERED) remembered.clear();
      remembered.set(nameOrOpenId, { name, until: now + REMEMBERED_MS });
      return name;
    },
  };
}
