import { boardOptions } from '../../src/app/board-parts.ts';
import { startServer, type WebServer } from '../../src/http/start-server.ts';
import type { Pipeline } from './pipeline.ts';

/** Who may do everything on the board of {@link startBoardSite}. */
export const OPERATOR = { user: 'ops', password: 'pa:ss' } as const;
/** Who may look only. */
export const VIEWER = { user: 'guest', password: 'look' } as const;

/** The header of somebody who is signed in. */
export function signedInAs({ user, password }: { user: string; password: string }): { authorization: string } {
  return { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` };
}

/** The web server over a pipeline, with the board that it has in a deployment. */
export async function startBoardSite({ service, publisher, metrics, deps }: Pipeline): Promise<WebServer> {
  return await startServer({
    ...{ host: '127.0.0.1', port: 0, metrics, readinessChecks: [], log: deps.log },
    // So that each test can be another client.
    trustedProxies: ['127.0.0.1'],
    board: boardOptions({ board: OPERATOR, boardViewer: VIEWER }, service, publisher),
  });
}
