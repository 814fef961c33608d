import { boardOptions } from '../../src/app/board-parts.ts';
import { deliveriesOf, subscriptionsOf } from '../../src/app/callback-parts.ts';
import { publisherAs } from '../../src/http/access/publisher-as.ts';
import { createSessions } from '../../src/http/access/sessions.ts';
import { operatorOf } from '../../src/http/access/sign-in.ts';
import { createSeenFailures } from '../../src/http/console/seen-failures.ts';
import { startServer, type WebServer } from '../../src/http/start-server.ts';
import { readAccountUse } from '../../src/limits/account-use.ts';
import type { Pipeline } from './pipeline.ts';

/** Who may do everything on the board of {@link startBoardSite}. */
export const OPERATOR = { user: 'ops', password: 'pa:ss' } as const;
/** Who may look only. */
export const VIEWER = { user: 'guest', password: 'look' } as const;

/** A key of `API_KEYS`. */
export const SETTING_KEY = 'the-key-of-the-settings';

/** The header of somebody who is signed in. */
export function signedInAs({ user, password }: { user: string; password: string }): { authorization: string } {
  return { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` };
}

/** Keys of metadata that the console of {@link startBoardSite} searches by. */
const METADATA_KEYS = ['campaign'] as const;

/** The web server over a pipeline, with the board and the console that it has in a deployment. */
export async function startBoardSite({ app, service, publisher, metrics, deps }: Pipeline): Promise<WebServer> {
  await service.ledger.publishIndexes(METADATA_KEYS);
  const operated = publisherAs(publisher, operatorOf(OPERATOR), service.audit.add);
  return await startServer({
    ...{ host: '127.0.0.1', port: 0, metrics, readinessChecks: [], log: deps.log },
    // So that each test can be another client.
    trustedProxies: ['127.0.0.1'],
    board: {
      ...boardOptions({ ...service, clock: app.clock }, operated),
      pages: {
        ...{
          publisher,
          apiKeys: [SETTING_KEY],
          metadataKeys: METADATA_KEYS,
          audit: service.audit,
          keys: service.apiKeys,
          statistics: service.statistics,
          seenFailures: createSeenFailures({ redis: service.redis, keys: app.keys }),
          accountJobs: service.reader.accountJobs,
          accountUse: (account) => readAccountUse(account, { ...service, keys: app.keys, clock: app.clock }),
        },
        callbacks: deliveriesOf(app, service),
        subscriptions: subscriptionsOf(app, service),
      },
    },
    operators: {
      login: OPERATOR,
      viewer: VIEWER,
      sessions: createSessions({ redis: service.redis, keys: app.keys }, app.sessionSecrets),
    },
  });
}
