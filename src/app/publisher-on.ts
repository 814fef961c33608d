import { clientCredentials } from '../accounts/connect-flow.ts';
import type { ConnectLinkRequest } from '../accounts/connect-link.ts';
import { createPublisher } from '../producers/create-publisher.ts';
import type { Publisher } from '../producers/publisher.ts';
import { refuseCallbacks } from '../producers/refuse-callbacks.ts';
import type { AccountParts } from './account-parts.ts';
import type { App } from './open-app.ts';
import { publisherParts } from './publisher-parts.ts';
import type { RedisParts } from './redis-parts.ts';

/** The publisher of a process of ours, on parts that are open. */
export function publisherOn(app: App, parts: RedisParts & AccountParts): Publisher {
  const { config, keys, clock, onClose } = app;
  const { connectLinks } = parts;
  const accounts = {
    ...parts,
    // In our own processes the credentials are at hand, so nobody gets a link that leads nowhere.
    connectLinks: {
      ...connectLinks,
      create: async (request: ConnectLinkRequest) => {
        clientCredentials(config.tiktok);
        return await connectLinks.create(request);
      },
    },
  };
  const connection = publisherParts(config, app, { ...parts, clock }, async () => accounts);
  const publisher = createPublisher({
    eventsKey: keys.events,
    checkCallbacks: async (entries) => refuseCallbacks(entries, config.outboundAllowHosts),
    open: async () => connection,
    close: async () => undefined,
  });
  onClose(() => publisher.close());
  return publisher;
}
