import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WebServer } from '../../../src/http/start-server.ts';
import { OPERATOR, startBoardSite } from '../../support/board-site.ts';
import { type Pipeline, startPipeline } from '../../support/pipeline.ts';
import { makeVideo } from '../../support/videos.ts';
import { CHROMIUM_ARGS, findChromium } from './browser.ts';

const executablePath = findChromium();
const WAIT = { timeoutMs: 90_000 };

describe.skipIf(executablePath === undefined)(
  'the console in a browser (skipped where no Chromium is on the PATH)',
  () => {
    let pipeline: Pipeline;
    let site: WebServer;
    let browser: Browser;
    let failed: string;

    beforeAll(async () => {
      pipeline = await startPipeline({ simulator: { processingMs: 20 } });
      site = await startBoardSite(pipeline);
      if (executablePath !== undefined) browser = await chromium.launch({ executablePath, args: CHROMIUM_ARGS });
      const { publisher, simulator, folder } = pipeline;
      const fault = { kind: 'fail_processing', failReason: 'frame_rate_check_failed' } as const;
      simulator.faults.add({ endpoint: 'video_init', act: fault });
      const { id } = await publisher.enqueue({
        ...{ account: 'acme', mode: 'direct', metadata: { campaign: 'spring' } },
        media: { type: 'file', path: await makeVideo(folder, 1_000) },
        post: { title: 'Hello', privacyLevel: 'SELF_ONLY' },
      });
      await publisher.waitForCompletion(id, WAIT);
      failed = id;
    });
    afterAll(async () => {
      await browser?.close();
      await site?.close();
      await pipeline?.close();
    });

    /** A page of the operator, who has a password at hand, and whatever the page complains about. */
    async function openPage(
      options: { javaScriptEnabled?: boolean } = {},
    ): Promise<{ page: Page; complaints: string[] }> {
      const httpCredentials = { username: OPERATOR.user, password: OPERATOR.password };
      const page = await (await browser.newContext({ ...options, httpCredentials })).newPage();
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

    it('lets an operator sign in, search, retry, pause an account, make and revoke a key, and read it all again', async () => {
      const { page, complaints } = await openPage();
      await page.goto(site.url);
      await page.getByRole('link', { name: 'Console' }).click();
      await page.getByRole('heading', { name: 'What needs a person' }).waitFor();

      await page.getByRole('link', { name: 'Publishes', exact: true }).click();
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

      await page.getByRole('link', { name: 'Accounts' }).click();
      await page.getByRole('button', { name: 'Pause' }).click();
      await page.getByRole('button', { name: 'Resume' }).waitFor();
      expect(await pipeline.publisher.accounts.get('acme')).toMatchObject({ status: 'paused' });
      await page.getByRole('button', { name: 'Resume' }).click();
      await page.getByText('The account is resumed.').waitFor();

      await page.getByRole('link', { name: 'Keys' }).click();
      await page.getByLabel('Name of who uses it').fill('shop');
      await page.getByRole('button', { name: 'Create key' }).click();
      const key = (await page.locator('.shown-once').textContent()) ?? '';
      expect(await pipeline.service.apiKeys.find(key.trim())).toMatchObject({ by: 'key shop' });
      await page.getByRole('link', { name: 'Keys' }).click();
      await page.locator('summary', { hasText: 'Revoke' }).click();
      await page.getByRole('button', { name: 'Revoke' }).click();
      await page.getByText('The key is revoked.').waitFor();
      expect(await pipeline.service.apiKeys.find(key.trim())).toBeUndefined();

      await page.getByRole('link', { name: 'Audit' }).click();
      for (const action of ['publish.retry', 'account.pause', 'account.resume', 'key.create', 'key.revoke']) {
        await page.getByRole('cell', { name: action }).waitFor();
      }
      // The browser asks for the password when the server does.
      expect(complaints.filter((text) => !text.includes('401'))).toEqual([]);
    });

    it('works without JavaScript, by keyboard alone', async () => {
      const { page } = await openPage({ javaScriptEnabled: false });
      await page.goto(`${site.url}/publishes`);
      await page.getByLabel('Account').focus();
      await page.keyboard.type('nobody');
      await page.keyboard.press('Enter');
      await page.getByText('No publish job meets all of these.').waitFor();
    });

    it.each(['light', 'dark'] as const)('fits a phone in %s, on each page', async (colorScheme) => {
      const { page } = await openPage();
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width: 390, height: 844 });
      const pages = [
        '/?sign-in',
        '/publishes',
        `/publishes/${failed}`,
        '/accounts',
        '/subscriptions',
        '/keys',
        '/audit',
      ];
      for (const path of pages) {
        await page.goto(`${site.url}${path}`);
        const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - window.innerWidth');
        expect([path, Math.max(overflow, 0)]).toEqual([path, 0]);
      }
    });
  },
);
