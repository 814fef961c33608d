import { readFile } from 'node:fs/promises';
import { chromium, type Page } from 'playwright-core';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { freePort } from '../../../src/embedded-redis/redis-process.ts';
import { DEMO_VIDEO } from '../../../src/media/shipped-videos.ts';
import { startSimulator } from '../../../src/simulator/index.ts';
import { pathInRepository } from '../../support/build.ts';
import { startNginx } from '../../support/nginx.ts';
import { programOnPath } from '../../support/program-on-path.ts';
import { CHROMIUM_ARGS, findChromium, signInOn } from '../board/browser.ts';
import { endCommands, freshEnvironment, runCommand, startCommand } from '../cli/command.ts';

const nginx = programOnPath('nginx');
const executablePath = findChromium();
const [API_KEY, USER, PASSWORD] = ['a-key-of-a-test-with-32-characters', 'admin', 'a-password-of-a-test'];

afterEach(endCommands);

/** What docs/deployment.md tells people to put into their nginx, in front of this port. */
async function documentedLocation(port: number): Promise<string> {
  const page = await readFile(pathInRepository('docs/deployment.md'), 'utf8');
  const [, location = ''] = /```nginx\n([^`]*)```/.exec(page) ?? [];
  expect(location).toContain('proxy_pass http://127.0.0.1:3000/;');
  return location.replace(':3000', `:${port}`);
}

/** A service behind nginx, which serves it below /tiktok/ alone. */
async function startBehindNginx(program: string) {
  const [port, nginxPort] = [await freePort(), await freePort()];
  const origin = await startNginx(program, nginxPort, await documentedLocation(port));
  const base = `${origin}/tiktok`;
  const simulator = await startSimulator({
    ...{ processingMs: 100, fetchPulls: true, verifiedUrlPrefixes: [`${base}/pull/`] },
    switches: { pullUrlRules: 'loopback', pullRequests: 'ranges' },
  });
  onTestFinished(() => simulator.close());
  simulator.addAccount();
  const env = freshEnvironment({
    PORT: String(port),
    PUBLIC_BASE_URL: base,
    ...{ API_KEYS: API_KEY, BOARD_USER: USER, BOARD_PASSWORD: PASSWORD, TRUSTED_PROXIES: '127.0.0.1' },
    MEDIA_ROOTS: pathInRepository('assets'),
    TIKTOK_API_BASE_URL: simulator.url,
    TIKTOK_CLIENT_KEY: simulator.clientKey,
    TIKTOK_CLIENT_SECRET: simulator.clientSecret,
  });
  await startCommand(['start', '--json'], env).document();
  return { origin, base, env, simulator };
}

async function openPage(base: string): Promise<{ page: Page; complaints: string[] }> {
  const browser = await chromium.launch({ ...(executablePath && { executablePath }), args: CHROMIUM_ARGS });
  onTestFinished(() => browser.close());
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on('response', (response) => {
    // A browser asks for an icon at the root, whatever serves it.
    const isOurs = response.url().startsWith(base);
    if (response.status() >= 400 && isOurs) complaints.push(response.url());
  });
  return { page, complaints };
}

const headers = { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' };
const jobDocument = z.looseObject({ id: z.string(), state: z.string() });

describe.skipIf(nginx === undefined || executablePath === undefined)(
  'behind nginx, below a path, as docs/deployment.md has it (skipped where nginx or Chromium is not on the PATH)',
  () => {
    it('accounts are connected, jobs accepted and followed live, media downloaded, and board and documentation work', async () => {
      const { origin, base, env, simulator } = await startBehindNginx(nginx ?? '');
      const { page, complaints } = await openPage(base);

      const connect = await runCommand(['accounts', 'connect', 'acme', '--json'], env);
      const { url } = z.looseObject({ url: z.string() }).parse(JSON.parse(connect.stdout));
      expect(url).toMatch(new RegExp(`^${base}/connect/`));
      await page.goto(url);
      await page.getByText('Allow, as a new user').click();
      await page.getByText('acme').first().waitFor();
      expect(page.url()).toMatch(new RegExp(`^${base}/connect/tiktok/callback`));

      const enqueue = (more: Record<string, unknown> = {}) =>
        fetch(`${base}/v1/publishes`, {
          ...{ method: 'POST', headers },
          body: JSON.stringify({
            ...{ account: 'acme', mode: 'direct', media: { type: 'file', path: DEMO_VIDEO }, ...more },
            post: { title: 'Below a path', privacyLevel: 'SELF_ONLY' },
          }),
        });
      /** Reads the events of a job until one of this type comes. */
      const until = async (id: string, type: string) => {
        const events = await fetch(`${base}/v1/publishes/${id}/events`, { headers });
        const reader = events.body?.pipeThrough(new TextDecoderStream()).getReader();
        let text = '';
        while (!text.includes(type)) text += (await reader?.read())?.value ?? '';
        await reader?.cancel();
      };
      const answer = await enqueue();
      expect(answer.status).toBe(202);
      const { id } = jobDocument.parse(await answer.json());
      expect(answer.headers.get('location')).toBe(`/tiktok/v1/publishes/${id}`);
      await until(id, 'publish.published');
      // A stream on which nothing more happens: what nginx kept back would never come.
      const later = jobDocument.parse(await (await enqueue({ scheduledAt: '2099-01-01T10:00:00Z' })).json());
      await until(later.id, 'publish.queued');
      const job = await fetch(new URL(answer.headers.get('location') ?? '', origin), { headers });
      expect(jobDocument.parse(await job.json()).state).toBe('published');
      expect(simulator.journal.posts()).toHaveLength(1);
      const media = { type: 'file', path: DEMO_VIDEO, via: 'pull' };
      const pulled = jobDocument.parse(await (await enqueue({ media })).json());
      await until(pulled.id, 'publish.published');
      const [first, second] = simulator.journal.posts();
      expect(second?.sha256).toBe(first?.sha256);

      await signInOn(page, `${base}/board`, { user: USER, password: PASSWORD }, base);
      await page.locator('a[href*="/tiktok/board/queue/tiktok-status"]').first().waitFor();
      await page.goto(`${base}/docs`);
      await page.getByText('/v1/publishes').first().waitFor();
      await page.goto(`${base}/publishes/${id}`);
      await page.getByText('Below a path').first().waitFor();
      await page.goto(base);
      expect(page.url()).toBe(`${base}/`);
      expect(complaints).toEqual([]);

      // The Host header is that of the page: a change by the board is not taken for one of another site.
      const login = `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString('base64')}`;
      const retry = await fetch(`${base}/board/api/queues/tiktok-publish/none/retry/failed`, {
        ...{ method: 'PUT', headers: { authorization: login, origin } },
      });
      expect(await retry.text()).not.toContain('ORIGIN_REFUSED');
      expect(retry.status).not.toBe(403);
    });
  },
);
