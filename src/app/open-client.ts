import type { Deliveries } from '../callbacks/deliveries.ts';
import type { Config } from '../config/load-config.ts';
import type { Publisher } from '../producers/publisher.ts';
import type { RedisClient } from '../redis/lua-script.ts';
import type { AccountParts } from './account-parts.ts';
import { deliveriesOf } from './callback-parts.ts';
import { type App, type AppOptions, openApp } from './open-app.ts';
import { publisherOn } from './open-server.ts';
import { openParts, openTikTok } from './open-service.ts';
import type { RedisParts } from './redis-parts.ts';

/** What a command works with. */
export interface ClientParts extends RedisParts, AccountParts {
  readonly app: App;
  readonly publisher: Publisher;
  readonly callbacks: Deliveries;
}

export interface Client extends ClientParts {
  close(): Promise<void>;
}

/**
 * Connects a command to Redis; what it asks fails at once while Redis is away.
 * @throws RedisUnavailableError with what to do about it
 */
export async function openClient(config: Config, options: Pick<AppOptions, 'starter'> = {}): Promise<Client> {
  const app = await openApp(config, options);
  app.logConsole();
  return { ...clientOn(app, await app.connect('producer')), close: app.close };
}

/** The same on a connection that is open already. */
export function clientOn(app: App, redis: RedisClient): ClientParts {
  const parts = openParts(app, redis, { tiktok: openTikTok(app) });
  return { ...parts, app, publisher: publisherOn(app, parts), callbacks: deliveriesOf(app, parts) };
}
