import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { newUser, startSite } from '../../support/connect-site.ts';
import { CHROMIUM_ARGS, findChromium } from '../board/browser.ts';

const executablePath = findChromium();
/** 1 × 1 pixel. */
const LOGO = 'data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==';
const PHONE = { width: 390, height: 844 };

describe.skipIf(executablePath === undefined)(
  'the connect pages in a browser (skipped where no Chromium is on the PATH)',
  () => {
    let browser: Browser;
    beforeAll(async () => {
      if (executablePath !== undefined) browser = await chromium.launch({ executablePath, args: CHROMIUM_ARGS });
    });
    afterAll(() => browser?.close());

    it('fit on a phone, with name and logo, and nothing is refused by their policy', async () => {
      const site = await startSite({
        ...{ CONNECT_PAGE_NAME: 'Acme Social Planner for Restaurants and Hotels', CONNECT_PAGE_COLOR: '#0f766e' },
        CONNECT_PAGE_LOGO: LOGO,
      });
      newUser(site.simulator, 'open-id-1');
      const link = await site.link('a'.repeat(128));
      const page = await browser.newPage({ viewport: PHONE });
      const complaints: string[] = [];
      page.on('console', (message) => complaints.push(message.text()));
      for (const title of ['Connected', 'This link no longer works']) {
        await page.goto(link);
        if (title === 'Connected') await page.getByText('Allow, as User 1').click();
        expect(await page.title()).toBe(`${title} – Acme Social Planner for Restaurants and Hotels`);
        expect(await page.locator('header').innerText()).toBe('Acme Social Planner for Restaurants and Hotels');
        expect(await page.evaluate("document.querySelector('header img').naturalWidth")).toBe(1);
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(PHONE.width);
        const background = "getComputedStyle(document.querySelector('header')).backgroundColor";
        expect(await page.evaluate(background)).toBe('rgb(15, 118, 110)');
      }
      // Chromium writes a line for each answer of 400 and more.
      expect(complaints.filter((text) => !text.includes('status of 403'))).toEqual([]);
    });

    it('lead back to the app that asked', async () => {
      const visits: IncomingMessage[] = [];
      const server = createServer((request, response) => {
        visits.push(request);
        response.setHeader('content-type', 'text/html').end('<title>Settings</title>');
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      onTestFinished(async () => {
        server.closeAllConnections();
        server.close();
      });
      const app = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const site = await startSite({ CONNECT_RETURN_ORIGINS: app });
      newUser(site.simulator, 'open-id-1');
      const page = await browser.newPage();
      await page.goto(await site.link('acme', { returnTo: `${app}/settings?tab=tiktok` }));
      await page.getByText('Decline').click();
      expect(page.url()).toBe(`${app}/settings?tab=tiktok&account=acme&outcome=denied&code=ACCESS_DENIED`);
      await page.goto(await site.link('acme', { returnTo: `${app}/settings?tab=tiktok` }));
      await page.getByText('Allow, as a new user').click();
      expect(await page.title()).toBe('Settings');
      expect(page.url()).toBe(`${app}/settings?tab=tiktok&account=acme&outcome=connected`);
      // The page before had TikTok's code in its address.
      expect(visits[0]?.headers.referer).toBeUndefined();
      await page.context().close();
    });
  },
);
