import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AccountProfile, AccountTokens } from './accounts.ts';
import { plain } from './answers.ts';
import { API_ROUTES } from './api-routes.ts';
import { check } from './conformance-rules.ts';
import { CONTROL_PREFIX, serveControl } from './control-plane.ts';
import type { Faults } from './faults.ts';
import { writeAnswer } from './http-exchange.ts';
import { reportConformance } from './judge-outcomes.ts';
import { resolveOptions, type SimulatorOptions, type WebhookTarget } from './options.ts';
import { serveApi } from './serve-api.ts';
import { serveUpload } from './serve-upload.ts';
import type { WebhookDelivery } from './webhooks.ts';
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
  world.conformance.note([check('path', `${request.method} ${url.pathname}`)]);
  writeAnswer(response, plain(404, 'Not found'));
}

/** A running simulator, for tests in the same process. */
export type Simulator = Readonly<ReturnType<typeof controlsOf>>;

function controlsOf(world: World, server: Server) {
  const { clientKey, clientSecret } = world.settings;
  const faults: Pick<Faults, 'add' | 'clear'> = world.faults;
  const webhooks: readonly WebhookDelivery[] = world.webhooks.deliveries;
  return {
    /** Base of the API, `http://host:port`. Upload URLs share host and port with it. */
    url: world.origin,
    clientKey,
    clientSecret,
    /** Everything that was asked, and what came of it. */
    journal: world.journal,
    /** Which rules of TikTok's contract the client met, broke or did not exercise since the last reset. */
    conformance: () => reportConformance(world),
    faults,
    /** Adds a user who has connected the app, or replaces one of the same openId, and issues tokens. */
    addAccount: (profile: Partial<AccountProfile> = {}) => world.accounts.add(profile),
    /**
     * Changes a user without touching their tokens: bans them, makes the account private.
     * @throws Error when there is no such user.
     */
    updateAccount: (openId: string, change: Partial<Omit<AccountProfile, 'openId'>>) =>
      world.accounts.update(openId, change),
    /** Makes this user's access tokens stop working now; the refresh token stays. */
    expireAccessToken: (openId: string) => world.accounts.expireAccessToken(openId),
    /** The user disconnects the app: all tokens stop, publishes under way end FAILED / auth_removed. */
    revokeGrant: (openId: string) => world.revokeGrant(openId),
    /** An authorization code, as the consent page gives it to `redirectUri`; the challenge is a hex SHA-256. */
    authorize: (openId: string, redirectUri: string, codeChallenge?: string) =>
      world.accounts.authorize(openId, redirectUri, codeChallenge),
    /**
     * The person posts a draft from the inbox, as often as they like.
     * @returns The post's id.
     * @throws Error when there is no such draft in the inbox.
     */
    postDraft: (publishId: string, { isPublic = true } = {}) => world.postDraft(publishId, isPublic),
    /**
     * Ends processing now: well, or FAILED with a reason. Frees a publish that a fault made stuck.
     * @throws Error when it should end well and bytes are missing.
     */
    settle: (publishId: string, failReason?: string) => world.settle(publishId, failReason),
    /**
     * Sends webhooks to another address from here on, or to none.
     * @throws ZodError when the address is no URL
     */
    sendWebhooksTo: (target: WebhookTarget | undefined) => world.webhooks.sendTo(target),
    /** Webhooks sent so far, oldest first. */
    webhooks,
    /** Every token, authorization code and part of an upload URL that was given out, for tests that search for leaks. */
    secrets: () => [...world.accounts.handedOut, ...world.publishes.handedOut],
    /** Forgets publishes, posts, requests, faults and used quota. Accounts and tokens stay. */
    reset: () => world.reset(),
    /** Breaks all connections and stops. */
    close: () => close(world, server),
    /** The same, for `await using`. */
    [Symbol.asyncDispose]: () => close(world, server),
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

/** Like TikTok towards a person who tries things out: seconds of processing, real pulls from any URL. */
const STAND_ALONE_OPTIONS: SimulatorOptions = {
  processingMs: 3_000,
  moderationMs: 1_000,
  fetchPulls: true,
  switches: { pullUrlRules: 'off' },
};

/** The open_id of the account that a stand-alone simulator starts with. */
export const STAND_ALONE_OPEN_ID = 'simulated-creator';

/** Starts a simulator for use by other processes, with one account ready to be added to a publisher. */
export async function startStandAloneSimulator(
  options: SimulatorOptions = {},
): Promise<{ simulator: Simulator; account: AccountTokens }> {
  const switches = { ...STAND_ALONE_OPTIONS.switches, ...options.switches };
  const simulator = await startSimulator({ ...STAND_ALONE_OPTIONS, ...options, switches });
  const account = simulator.addAccount({ openId: STAND_ALONE_OPEN_ID, username: 'simulated_creator' });
  return { simulator, account };
}
