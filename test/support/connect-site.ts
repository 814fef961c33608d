import { randomBytes } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { type ConnectLinkRequest, createConnectLinks } from '../../src/accounts/connect-link.ts';
import { openApp } from '../../src/app/open-app.ts';
import { openServer } from '../../src/app/open-server.ts';
import { openMeasuredService } from '../../src/app/open-service.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { type Simulator, type SimulatorOptions, startSimulator } from '../../src/simulator/index.ts';
import { freshPrefix, testRedisUrl } from './redis.ts';

type OnEnd = (close: () => Promise<void>) => void;

/**
 * The web server as `start` runs it, on a simulated TikTok, with whatever settings a test wants.
 * @param onEnd closes it; at the end of the test unless told
 */
export async function startSite(
  extraEnv: Record<string, string> = {},
  simulated: SimulatorOptions = {},
  onEnd: OnEnd = onTestFinished,
) {
  const simulator = await startSimulator(simulated);
  onEnd(() => simulator.close());
  const env = {
    REDIS_URL: testRedisUrl(),
    QUEUE_PREFIX: freshPrefix(),
    ENCRYPTION_KEYS: randomBytes(32).toString('base64'),
    PORT: '0',
    LOG_LEVEL: 'silent',
    TIKTOK_API_BASE_URL: simulator.url,
    TIKTOK_CLIENT_KEY: simulator.clientKey,
    TIKTOK_CLIENT_SECRET: simulator.clientSecret,
    ...extraEnv,
  };
  const app = await openApp(loadConfig(env));
  onEnd(app.close);
  const service = await openMeasuredService(app);
  const { url } = await openServer(service);
  const { http } = app.config;
  // The port is known only now.
  const settings = () => ({ ...http, publicBaseUrl: url });
  const links = createConnectLinks({ ...service, ...app, settings });
  /** A link as the program creates it. */
  const link = async (account: string, more: Omit<ConnectLinkRequest, 'account'> = {}) =>
    (await links.create({ account, ...more })).url;
  return { simulator, url, link, env, ...service };
}

export type Site = Awaited<ReturnType<typeof startSite>>;

/** A browser with cookies, whose every step is looked at. */
export function openBrowser() {
  const cookies = new Map<string, string>();
  return {
    cookies,
    async visit(url: string, headers: Record<string, string> = {}) {
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const answer = await fetch(url, { redirect: 'manual', headers: { ...headers, cookie } });
      for (const line of answer.headers.getSetCookie()) {
        const [name = '', value = ''] = line.split(';', 1).join('').split('=');
        cookies.set(name, value);
      }
      return {
        status: answer.status,
        location: answer.headers.get('location') ?? '',
        headers: answer.headers,
        text: await answer.text(),
      };
    },
  };
}

/** Goes from a link to TikTok and, as one of its users, back; the page at the end. */
export async function goThroughConsent(link: string, openId: string, browser = openBrowser()) {
  const begun = await browser.visit(link);
  const consent = new URL(begun.location);
  // The simulated consent page asks nobody: it is told who would be logged in.
  consent.searchParams.set('open_id', openId);
  const consented = await fetch(consent, { redirect: 'manual' });
  const callback = consented.headers.get('location') ?? '';
  return { begun, consent, callback, browser, page: await browser.visit(callback) };
}

/** A new user of the simulator. */
export function newUser(simulator: Simulator, openId: string, scopes = ['video.publish', 'video.upload']) {
  return simulator.addAccount({ openId, scopes });
}
