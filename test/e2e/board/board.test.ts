import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WebServer } from '../../../src/http/start-server.ts';
import { OPERATOR, startBoardSite, VIEWER } from '../../support/board-site.ts';
import { type Pipeline, startPipeline } from '../../support/pipeline.ts';
import { PULL_URL, PULLS } from '../../support/publish-case.ts';
import { makeVideo } from '../../support/videos.ts';
import { CHROMIUM_ARGS, findChromium, signInOn } from './browser.ts';

const executablePath = findChromium();
const post = { privacyLevel: 'SELF_ONLY' } as const;
const WAIT = { timeoutMs: 90_000 };

describe.skipIf(executablePath === undefined)(
  'the board in a browser (skipped where no Chromium is on the PATH)',
  () => {
    let pipeline: Pipeline;
    let site: WebServer;
    let browser: Browser;
    /** Failed at TikTok, and its next try will do. */
    let failed: string;
    /** Nobody knows whether TikTok published it. */
    let unconfirmed: string;

    beforeAll(async () => {
      pipeline = await startPipeline({ simulator: { ...PULLS, processingMs: 20, pullMs: 20 } });
      site = await startBoardSite(pipeline);
      if (executablePath !== undefined) browser = await chromium.launch({ executablePath, args: CHROMIUM_ARGS });
      const { publisher, simulator, folder } = pipeline;
      const enqueue = async (media: { type: 'file'; path: string } | { type: 'pull'; url: string }) => {
        const { id } = await publisher.enqueue({ account: 'acme', mode: 'direct', media, post });
        await publisher.waitForCompletion(id, WAIT);
        return id;
      };
      simulator.faults.add({
        endpoint: 'video_init',
        act: { kind: 'fail_processing', failReason: 'frame_rate_check_failed' },
      });
      failed = await enqueue({ type: 'file', path: await makeVideo(folder, 1_000) });
      simulator.faults.add({ endpoint: 'video_init', act: { kind: 'drop_before' } });
      unconfirmed = await enqueue({ type: 'pull', url: PULL_URL });
    });
    afterAll(async () => {
      await browser?.close();
      await site?.close();
      await pipeline?.close();
    });

    /** A page of somebody who signs in as asked, and whatever it complains about. */
    async function signIn({
      user,
      password,
    }: {
      user: string;
      password: string;
    }): Promise<{ page: Page; complaints: string[] }> {
      const page = await (await browser.newContext()).newPage();
      page.setDefaultTimeout(10_000);
      const complaints: string[] = [];
      page.on('console', (message) => {
        if (message.type() === 'error') complaints.push(message.text());
      });
      page.on('request', (request) => {
        if (!request.url().startsWith(site.url) && !/^(data|blob):/.test(request.url())) complaints.push(request.url());
      });
      await signInOn(page, `${site.url}/board`, { user, password });
      return { page, complaints };
    }

    const buttonsOf = (page: Page) => page.locator('[class*="jobActions"] button:visible');
    const openFailed = async (page: Page, queue: string) => {
      await page.goto(`${site.url}/board`);
      await page.locator(`a[href$="/queue/${queue}?status=failed"]`).click();
    };

    it('lets an operator sign in, find a failed job, read why, retry it and see it published', async () => {
      const { page, complaints } = await signIn(OPERATOR);
      await openFailed(page, 'tiktok-status');
      await page.getByText('acme · direct · video-1000.mp4').waitFor();
      await page.getByText('What to do:').waitFor();
      expect(await page.getByRole('tabpanel').textContent()).toContain('TIKTOK_MEDIA_FRAME_RATE');

      await page.getByRole('tab', { name: 'Logs' }).click();
      await page.getByText('init answered').waitFor();

      const publishPage = page.context().waitForEvent('page');
      await page.getByRole('link', { name: 'Job page' }).click();
      const details = await publishPage;
      await details.locator('.state', { hasText: 'failed' }).waitFor();

      expect(await buttonsOf(page).count()).toBe(1);
      await buttonsOf(page).click();
      await page.getByRole('button', { name: 'Confirm' }).click();
      await page.getByText('No failed jobs in this queue.').waitFor();
      expect(await pipeline.publisher.waitForCompletion(failed, WAIT)).toMatchObject({ state: 'published' });
      await details.reload();
      await details.getByText('retry requested').waitFor();
      await details.locator('.state', { hasText: 'published' }).waitFor();
      expect(pipeline.simulator.journal.posts()).toHaveLength(1);
      expect(complaints).toEqual([]);
    });

    it('tells an operator why a retry that could post twice is refused', async () => {
      const { page } = await signIn(OPERATOR);
      await openFailed(page, 'tiktok-publish');
      await buttonsOf(page).click();
      await page.getByRole('button', { name: 'Confirm' }).click();
      await page.getByText('TikTok may have published the post').waitFor();
      expect(await pipeline.publisher.get(unconfirmed)).toMatchObject({ state: 'unconfirmed' });
    });

    it('offers an operator nothing that would be refused', async () => {
      const { page } = await signIn(OPERATOR);
      await openFailed(page, 'tiktok-publish');
      await buttonsOf(page).waitFor();
      for (const name of [/retry all/i, /clean all/i, /pause/i, /empty/i, /obliterate/i, /add job/i]) {
        expect(await page.getByText(name).filter({ visible: true }).count()).toBe(0);
      }
      expect(await page.locator('[class*="statusBar"] button[aria-haspopup="menu"]:visible').count()).toBe(0);
      await page.goto(`${site.url}/board`);
      await page.locator('[class*="statusBar"] button[aria-haspopup="menu"]:visible').click();
      await page.getByRole('menuitem', { name: 'Sort by' }).waitFor();
      expect(await page.locator('[role="menuitem"]:visible').count()).toBe(1);
    });

    it('shows somebody who may look only the same job without a button, and refuses the request behind it', async () => {
      const { page, complaints } = await signIn(VIEWER);
      await openFailed(page, 'tiktok-publish');
      await page.getByText('acme · direct · a.mp4').waitFor();
      expect(await buttonsOf(page).count()).toBe(0);
      expect(complaints).toEqual([]);
      const status = await page.evaluate(
        async (id) => (await fetch(`/board/api/queues/tiktok-publish/${id}/retry`, { method: 'PUT' })).status,
        unconfirmed,
      );
      expect(status).toBe(403);
      expect(await pipeline.publisher.get(unconfirmed)).toMatchObject({ state: 'unconfirmed' });
    });

    it('keeps out somebody with a wrong password', async () => {
      const { page } = await signIn({ ...OPERATOR, password: 'wrong' });
      await page.getByText('This key or login is not valid.').waitFor();
      await page.goto(`${site.url}/board`);
      await page.getByRole('heading', { name: 'Sign in', exact: true }).waitFor();
      expect(await page.content()).not.toContain('acme');
    });
  },
);
