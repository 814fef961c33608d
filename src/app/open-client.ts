import type { Deliveries } from '../callbacks/deliveries.ts';
import type { Subscriptions } from '../callbacks/subscriptions.ts';
import type { Config } from '../config/load-config.ts';
import type { Caller } from '../core/access.ts';
import { deliveriesAs } from '../http/access/deliveries-as.ts';
import { publisherAs } from '../http/access/publisher-as.ts';
import type { Publisher } from '../producers/publisher.ts';
import type { RedisClient } from '../redis/lua-script.ts';
import type { AccountParts } from './account-parts.ts';
import { deliveriesOf, subscriptionsOf } from './callback-parts.ts';
import { type App, type AppOptions, openApp } from './open-app.ts';
import { openParts, openTikTok } from './open-service.ts';
import { publisherOn } from './publisher-on.ts';
import type { RedisParts } from './redis-parts.ts';

/** What a command works with. */
export interface ClientParts extends RedisParts, AccountParts {
  readonly app: App;
  readonly publisher: Publisher;
  readonly callbacks: Deliveries;
  readonly subscriptions: Subscriptions;
  /** Who asks, as timelines and the audit trail name them. */
  readonly by: string;
}

export interface Client extends ClientParts {
  close(): Promise<void>;
}

/** How a command asks. */
export interface ClientOptions extends Pick<AppOptions, 'starter'> {
  /** Who asks, as timelines and the audit trail name them. */
  readonly by?: string;
}

/**
 * Connects a command to Redis; what it asks fails at once while Redis is away.
 * @throws RedisUnavailableError with what to do about it
 */
export async function openClient(
  config: Config,
  { by = 'command line', ...options }: ClientOptions = {},
): Promise<Client> {
  const app = await openApp(config, options);
  app.logConsole();
  return { ...clientOn(app, await app.connect('producer'), by), close: app.close };
}

/** The same on a connection that is open already. */
export function clientOn(app: App, redis: RedisClient, by: string): ClientParts {
  const parts = openParts(app, redis, { tiktok: openTikTok(app) });
  const caller: Caller = { by, scopes: ['admin'] };
  const all = publisherOn(app, parts);
  const publisher = { ...all, ...publisherAs(all, caller, parts.audit.add) };
  return {
    ...parts,
    ...{ app, by, publisher },
    accounts: publisher.accounts,
    subscriptions: subscriptionsOf(app, parts),
    callbacks: deliveriesAs(deliveriesOf(app, parts), caller, parts.audit.add),
  };
}
