import { once } from 'node:events';
import { createRequire } from 'node:module';
import { type AddressInfo, createServer } from 'node:net';
import type { AxeResults } from 'axe-core';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { WebServer } from '../../../src/http/start-server.ts';
import { OPERATOR, startBoardSite } from '../../support/board-site.ts';
import { startCallbackReceiver } from '../../support/callback-receiver.ts';
import { newUser, startSite } from '../../support/connect-site.ts';
import { type Pipeline, startPipeline } from '../../support/pipeline.ts';
import { makeVideo } from '../../support/videos.ts';
import { CHROMIUM_ARGS, findChromium, signInOn } from './browser.ts';

const executablePath = findChromium();
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const WAIT = { timeoutMs: 90_000 };
const VIEWPORTS = { desktop: { width: 1280, height: 900 }, phone: { width: 390, height: 844 } } as const;

describe.skipIf(executablePath === undefined)('the console in a browser (needs Chromium)', () => {
  let pipeline: Pipeline;
  let site: WebServer;
  let browser: Browser;
  let video: string;
  let failed: string;

  beforeAll(async () => {
    pipeline = await startPipeline({ simulator: { processingMs: 20 } });
    await pipeline.startWorkersWith({}, { only: ['events'] });
    site = await startBoardSite(pipeline);
    if (executablePath !== undefined) browser = await chromium.launch({ executablePath, args: CHROMIUM_ARGS });
    const { simulator, folder, publisher } = pipeline;
    video = await makeVideo(folder, 1_000);
    const fault = { kind: 'fail_processing', failReason: 'frame_rate_check_failed' } as const;
    simulator.faults.add({ endpoint: 'video_init', act: fault });
    failed = (await enqueue('Hello', { campaign: 'spring' })).id;
    await publisher.waitForCompletion(failed, WAIT);
  });
  afterAll(async () => {
    await browser?.close();
    await site?.close();
    await pipeline?.close();
  });

  const enqueue = (title: string, metadata = {}) =>
    pipeline.publisher.enqueue({
      ...{ account: 'acme', mode: 'direct', metadata, onDuplicate: 'allow' },
      media: { type: 'file', path: video },
      post: { title, privacyLevel: 'SELF_ONLY' },
    });

  /** A page of a stranger, and whatever the page complains about. */
  async function openPage(options: Parameters<Browser['newContext']>[0] = {}) {
    const page = await (await browser.newContext(options)).newPage();
    page.setDefaultTimeout(20_000);
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    page.on('request', (request) => {
      if (!request.url().startsWith(site.url)) complaints.push(request.url());
    });
    return { page, complaints };
  }

  it('gives a field that is alone no more room than one of many, and facts no more than they need', async () => {
    const { page } = await openPage({ viewport: VIEWPORTS.desktop });
    await signInOn(page, `${site.url}/publishes/${failed}`, OPERATOR);
    const widthOf = async (selector: string) => (await page.locator(selector).first().boundingBox())?.width ?? 0;
    await page.locator('.facts').first().waitFor();
    expect(await widthOf('.facts td:first-child')).toBeLessThan(200);
    await page.goto(`${site.url}/accounts`);
    expect(await widthOf('#new-account')).toBeLessThan(400);
  });

  const follow = (page: Page, name: string) =>
    page.getByRole('navigation').getByRole('link', { name, exact: true }).click();

  it('lets an operator sign in, search, retry, pause and resume an account, see an event delivered, make and revoke a key, and read it all again', async () => {
    const { page, complaints } = await openPage();
    await page.goto(site.url);
    await page.getByRole('link', { name: 'Console' }).click();
    await page.getByLabel('User').fill(OPERATOR.user);
    await page.getByLabel('Password').fill(OPERATOR.password);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByRole('heading', { name: 'What needs a person' }).waitFor();

    await follow(page, 'Publishes');
    await page.getByLabel('Metadata: campaign').fill('spring');
    await page.getByLabel('failed').check();
    await page.getByRole('button', { name: 'Search' }).click();
    expect(new URL(page.url()).searchParams.get('metadata.campaign')).toBe('spring');
    await page.getByRole('link', { name: 'Hello' }).click();
    await page.getByText('A retry starts again: TikTok has published nothing of it.').waitFor();
    await page.getByRole('button', { name: 'Retry' }).click();
    await page.getByText('The job goes on.').waitFor();
    // The page renews itself.
    await page.locator('p.state', { hasText: 'published' }).waitFor();
    expect(await pipeline.publisher.get(failed)).toMatchObject({ state: 'published' });

    await follow(page, 'Accounts');
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('button', { name: 'Resume' }).waitFor();
    expect(await pipeline.publisher.accounts.get('acme')).toMatchObject({ status: 'paused' });
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.getByText('The account is resumed.').waitFor();

    const receiver = await startCallbackReceiver();
    onTestFinished(() => receiver.close());
    await follow(page, 'Subscriptions');
    await page.getByLabel('URL').fill(receiver.url);
    await page.getByRole('button', { name: 'Subscribe' }).click();
    await page.getByText('The endpoint is subscribed.').waitFor();
    await page.getByRole('link', { name: new URL(receiver.url).host }).click();
    await pipeline.publisher.waitForCompletion((await enqueue('Seen')).id, WAIT);
    // The page renews itself.
    await page.getByRole('cell', { name: 'publish.published' }).waitFor();
    await page.getByText('HTTP 2').first().waitFor();
    expect(receiver.received.length).toBeGreaterThan(0);

    await follow(page, 'Keys');
    await page.getByLabel('Name of who uses it').fill('shop');
    await page.getByRole('button', { name: 'Create key' }).click();
    const key = (await page.locator('.shown-once').textContent()) ?? '';
    expect(await pipeline.service.apiKeys.find(key.trim())).toMatchObject({ by: 'key shop' });
    await follow(page, 'Keys');
    await page.locator('summary', { hasText: 'Revoke' }).click();
    await page.getByRole('button', { name: 'Revoke' }).click();
    await page.getByText('The key is revoked.').waitFor();
    expect(await pipeline.service.apiKeys.find(key.trim())).toBeUndefined();

    await follow(page, 'Audit');
    for (const action of ['publish.retry', 'account.pause', 'account.resume', 'subscription.create', 'key.revoke']) {
      await page.getByRole('cell', { name: action }).first().waitFor();
    }
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in', exact: true }).waitFor();
    expect(complaints).toEqual([]);
  });

  it('leads the owner of an account through connecting it, and connecting it again when its access was lost', async () => {
    const port = await freePort();
    const login = { BOARD_USER: 'ops', BOARD_PASSWORD: 'a-good-password-1' };
    const served = await startSite({ ...login, PORT: String(port) });
    newUser(served.simulator, 'open-id-1');
    const { page } = await openPage();
    /** What the owner of the account does with the link. */
    const allow = async () => {
      await page.goto((await page.locator('.shown-once').textContent()) ?? '');
      await page.getByText('Allow, as User 1').click();
      await page.getByRole('heading', { name: 'Connected' }).waitFor();
    };
    await signInOn(page, `${served.url}/accounts`, { user: login.BOARD_USER, password: login.BOARD_PASSWORD });
    await page.getByLabel('Name for the account').fill('acme');
    await page.getByRole('button', { name: 'Create connect link' }).click();
    await allow();
    await page.goto(served.url);
    await page.getByText('Nothing needs a person.').waitFor();

    await served.vault.markReauthorizationRequired('acme', { reason: 'TikTok refused the refresh token' });
    const row = page.getByRole('row', { name: /acme must be connected again/ });
    // The page renews itself.
    await row.getByRole('button', { name: 'Create a connect link' }).click();
    await allow();
    await page.goto(served.url);
    await page.getByText('Nothing needs a person.').waitFor();
    expect(await served.vault.get('acme')).toMatchObject({ status: 'active' });
  });

  it('pauses all publishing and says so on each page, until it is resumed', async () => {
    const { page } = await openPage();
    await signInOn(page, site.url, OPERATOR);
    await page.locator('summary', { hasText: 'Pause all publishing' }).click();
    await page.getByLabel('Reason').fill('TikTok is down');
    await page.getByRole('button', { name: 'Pause all publishing' }).click();
    await follow(page, 'Accounts');
    await page.getByText('Reason: TikTok is down.').waitFor();
    await page.getByRole('button', { name: 'Resume all publishing' }).click();
    await page.getByText('Publishing goes on.').waitFor();
    expect(await pipeline.publisher.paused()).toBeNull();
  });

  it('renews the first page without moving the focus or what was opened', async () => {
    const { page } = await openPage();
    await signInOn(page, site.url, OPERATOR);
    await page.locator('summary', { hasText: 'Pause all publishing' }).click();
    await page.getByLabel('Reason').fill('half a sentence');
    const counted = page.getByRole('listitem').filter({ hasText: 'published' });
    const before = Number.parseInt((await counted.first().textContent()) ?? '', 10);
    await page.evaluate('scrollTo(0, 200)');
    await pipeline.publisher.waitForCompletion((await enqueue('One more')).id, WAIT);
    await page.getByText(`${before + 1} published`).waitFor();
    expect(await page.evaluate('document.activeElement.name')).toBe('reason');
    expect(await page.getByLabel('Reason').inputValue()).toBe('half a sentence');
    expect(await page.evaluate('scrollY')).toBe(200);
  });

  it('works without JavaScript, by keyboard alone', async () => {
    const { page } = await openPage({ javaScriptEnabled: false });
    await page.goto(`${site.url}/publishes`);
    await page.getByLabel('User').focus();
    await page.keyboard.type(OPERATOR.user);
    await page.keyboard.press('Tab');
    await page.keyboard.type(OPERATOR.password);
    await page.keyboard.press('Enter');
    await page.getByLabel('Account').focus();
    await page.keyboard.type('nobody');
    await page.keyboard.press('Enter');
    await page.getByText('No publish job meets all of these.').waitFor();
  });

  const LOOKS = (['light', 'dark'] as const).flatMap((theme) =>
    (['desktop', 'phone'] as const).map((size) => [theme, size] as const),
  );
  it.each(LOOKS)('is accessible and fits in %s on a %s, on each page', async (colorScheme, size) => {
    const { page } = await openPage({ colorScheme, viewport: VIEWPORTS[size], bypassCSP: true });
    await signInOn(page, site.url, OPERATOR);
    await pipeline.publisher.pause({ reason: 'For the picture' });
    const own = ['/', '/publishes', `/publishes/${failed}`, '/accounts', '/subscriptions', '/keys', '/audit'];
    try {
      for (const path of [
        ...own,
        '/operations',
        '/operations/new?kind=retry&state=published',
        '/publishes?code=nonsense',
        '/sign-in',
      ]) {
        await page.goto(`${site.url}${path}`);
        const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - window.innerWidth');
        expect([path, Math.max(overflow, 0)]).toEqual([path, 0]);
        for (const summary of await page.locator('summary').all()) await summary.click();
        await page.addScriptTag({ path: AXE });
        const { violations } = await page.evaluate<AxeResults>('axe.run()');
        const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
        expect([path, found]).toEqual([path, []]);
      }
    } finally {
      await pipeline.publisher.resume();
    }
  });
});

/** Connect links need an address that is known before the server starts. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
