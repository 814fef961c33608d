import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { plain } from './answers.ts';
import { API_ROUTES } from './api-routes.ts';
import { CONTROL_PREFIX, serveControl } from './control-plane.ts';
import { writeAnswer } from './http-exchange.ts';
import { resolveOptions, type SimulatorOptions } from './options.ts';
import { serveApi } from './serve-api.ts';
import { serveUpload } from './serve-upload.ts';
import type { Simulator } from './simulator.ts';
import { World } from './world.ts';

/**
 * Starts a simulated TikTok on a port of its own.
 * @throws Error when the port is taken, ZodError when a switch is unknown.
 */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const settings = resolveOptions(options);
  const world = new World(settings);
  // An upload may take as long as its URL lives; Node's default cuts requests off after five minutes.
  const server = createServer({ requestTimeout: 0, keepAliveTimeout: 60_000 }, (request, response) => {
    serve(world, request, response).catch((error: unknown) => {
      writeAnswer(response, plain(500, `simulator fault: ${error instanceof Error ? error.stack : String(error)}`));
    });
  });
  world.origin = await listen(server, settings.port, settings.host);
  return controlsOf(world, server);
}

async function serve(world: World, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', world.origin);
  if (url.pathname === CONTROL_PREFIX || url.pathname.startsWith(`${CONTROL_PREFIX}/`)) {
    return serveControl(world, request, response, url);
  }
  if (request.method === 'PUT' && url.pathname === '/video/') return serveUpload(world, request, response, url);
  const route = API_ROUTES.find(({ method, path }) => method === request.method && path === url.pathname);
  if (route !== undefined) return serveApi(world, route, request, response, url);
  // Every path of TikTok's ends in a slash; what it answers without one is not documented.
  request.resume();
  writeAnswer(response, plain(404, 'Not found'));
}

function controlsOf(world: World, server: Server): Simulator {
  const { clientKey, clientSecret } = world.settings;
  return {
    url: world.origin,
    clientKey,
    clientSecret,
    journal: world.journal,
    faults: world.faults,
    addAccount: (profile = {}) => world.accounts.add(profile),
    updateAccount: (openId, change) => world.accounts.update(openId, change),
    expireAccessToken: (openId) => world.accounts.expireAccessToken(openId),
    revokeGrant: (openId) => world.revokeGrant(openId),
    authorize: (openId, redirectUri, challenge) => world.accounts.authorize(openId, redirectUri, challenge),
    postDraft: (publishId, { isPublic = true } = {}) => world.postDraft(publishId, isPublic),
    settle: (publishId, failReason) => world.settle(publishId, failReason),
    sendWebhooksTo: (target) => world.webhooks.sendTo(target),
    webhooks: world.webhooks.deliveries,
    secrets: () => [...world.accounts.handedOut, ...world.publishes.handedOut],
    reset: () => world.reset(),
    close: () => close(world, server),
  };
}

function listen(server: Server, port: number, host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      const address = server.address();
      const boundPort = typeof address === 'object' && address !== null ? address.port : port;
      resolve(`http://${host.includes(':') ? `[${host}]` : host}:${boundPort}`);
    });
  });
}

function close(world: World, server: Server): Promise<void> {
  world.closing.abort();
  world.webhooks.close();
  world.journal.close();
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
