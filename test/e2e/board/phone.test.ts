import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Api, enqueue, startApi } from '../../support/api-site.ts';
import { OPERATOR, signedInAs } from '../../support/board-site.ts';
import { CHROMIUM_ARGS, findChromium } from './browser.ts';

const executablePath = findChromium();
/** Of a small phone, in CSS pixels. */
const viewport = { width: 390, height: 844 };
const LONG = 'a-name-without-any-place-to-break-it-'.repeat(6);
const LONG_REQUEST = {
  account: LONG.slice(0, 60),
  mode: 'direct',
  media: { type: 'pull', url: `https://media.example.com/${LONG}.mp4` },
  post: { title: LONG, privacyLevel: 'SELF_ONLY' },
  metadata: { order: LONG },
};

describe.skipIf(executablePath === undefined)('on a phone (skipped where no Chromium is on the PATH)', () => {
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    if (executablePath !== undefined) browser = await chromium.launch({ executablePath, args: CHROMIUM_ARGS });
  });
  afterEach(() => page?.close());
  afterAll(() => browser?.close());

  const board = { BOARD_USER: OPERATOR.user, BOARD_PASSWORD: OPERATOR.password };

  /** How many pixels of a page are beyond the right edge. */
  async function overflowOf(url: string, headers: Record<string, string> = {}): Promise<number> {
    page = await browser.newPage({ viewport, extraHTTPHeaders: headers });
    await page.goto(url, { waitUntil: 'networkidle' });
    return await page.evaluate<number>('document.documentElement.scrollWidth - window.innerWidth');
  }

  const pages: Record<string, (api: Api) => Promise<string> | string> = {
    'the list of pages': () => '/',
    'an address that does not exist': () => `/${LONG}`,
    'a job that does not exist': () => `/publishes/${LONG}`,
    'a job': async (api) => `/publishes/${await enqueue(api, LONG_REQUEST)}`,
    'the documentation of the API': () => '/docs',
  };
  for (const [name, find] of Object.entries(pages)) {
    it(`${name} fits the width`, async () => {
      const api = await startApi(board);
      expect(await overflowOf(api.url + (await find(api)), signedInAs(OPERATOR))).toBeLessThanOrEqual(0);
    });
  }

  it('the page of somebody who is not signed in fits the width', async () => {
    const api = await startApi({ API_KEYS: 'a-key-for-this-test' });
    expect(await overflowOf(`${api.url}/v1/publishes`)).toBeLessThanOrEqual(0);
    expect(await page.title()).toBe('Unauthorized');
  });
});
