import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WebServer } from '../../../src/http/start-server.ts';
import { OPERATOR, signedInAs, startBoardSite } from '../../support/board-site.ts';
import { eventually } from '../../support/eventually.ts';
import { type Pipeline, startPipeline } from '../../support/pipeline.ts';
import { directPost } from '../../support/plain-entries.ts';
import { CHROMIUM_ARGS, findChromium } from './browser.ts';

const executablePath = findChromium();
const JOBS = 200;

describe.skipIf(executablePath === undefined)(
  'operations in a browser (skipped where no Chromium is on the PATH)',
  () => {
    let pipeline: Pipeline;
    let site: WebServer;
    let browser: Browser;

    beforeAll(async () => {
      pipeline = await startPipeline({ uploadsPerAccount: 4 });
      site = await startBoardSite(pipeline);
      if (executablePath !== undefined) browser = await chromium.launch({ executablePath, args: CHROMIUM_ARGS });
      const media = { type: 'file', path: '/no/such/video.mp4' } as const;
      const request = { ...directPost('', 'Spring sale'), media, metadata: { campaign: 'spring' } };
      await pipeline.publisher.enqueueBulk(Array.from({ length: JOBS }, () => request));
      await eventually(async () => expect((await pipeline.publisher.counts()).states).toEqual({ failed: JOBS }));
    });
    afterAll(async () => {
      await browser?.close();
      await site?.close();
      await pipeline?.close();
    });

    async function openPage(): Promise<Page> {
      const page = await (await browser.newContext({ extraHTTPHeaders: signedInAs(OPERATOR) })).newPage();
      page.setDefaultTimeout(20_000);
      return page;
    }

    it('lets an operator look at what a retry of 200 failed jobs would do, start it, and watch it go', async () => {
      const page = await openPage();
      await page.goto(`${site.url}/publishes?metadata.campaign=spring&state=failed`);
      await page.getByRole('button', { name: 'Retry…' }).click();
      await page.getByText(`This would happen to ${JOBS} publish jobs`).waitFor();
      await page.getByLabel('Jobs in a second').fill('40');
      await page.getByRole('button', { name: `Retry ${JOBS} publish jobs` }).click();
      await page.getByText('The operation runs.').waitFor();
      const operation = page.url().replace(/\?.*/, '');
      // The page renews itself until there is nothing more to come.
      await page.getByText(`${JOBS} of ${JOBS} publish jobs dealt with.`).waitFor();
      await page.locator('.badge', { hasText: 'done' }).waitFor();
      await page.getByRole('link', { name: 'All operations' }).click();
      await page.getByRole('link', { name: 'Retry', exact: true }).waitFor();

      await page.setViewportSize({ width: 390, height: 844 });
      const preview = `${site.url}/operations/new?metadata.campaign=spring&kind=`;
      for (const url of [`${preview}retry`, `${preview}reschedule`, operation, `${site.url}/operations`]) {
        await page.goto(url);
        const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - window.innerWidth');
        expect([url, Math.max(overflow, 0)]).toEqual([url, 0]);
      }
    });
  },
);
