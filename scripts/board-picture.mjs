// Takes the pictures of the board and the console: real jobs in several states, on the simulator. Needs a build and Chromium.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { openApp } from '../.compiled/app/open-app.js';
import { openServer } from '../.compiled/app/open-server.js';
import { openMeasuredService } from '../.compiled/app/open-service.js';
import { writeDemoVideo } from '../.compiled/cli/demo-video.js';
import { loadConfig } from '../.compiled/config/load-config.js';
import { createStatisticsStore } from '../.compiled/ledger/statistics-store.js';
import { createTestKit } from '../.compiled/simulator/index.js';

const PICTURES = join(import.meta.dirname, '../docs/images');
const CHROMIUM = process.argv[2] ?? '/usr/bin/chromium';
const HOUR_MS = 3_600_000;

const folder = await mkdtemp(join(tmpdir(), 'board-picture-'));
const kit = await createTestKit({ accounts: ['acme', 'bakery'] });
const { publisher, simulator, redisUrl, queuePrefix } = kit;
const ENCRYPTION_KEYS = Buffer.alloc(32).toString('base64');
const settings = {
  REDIS_URL: redisUrl,
  QUEUE_PREFIX: queuePrefix,
  ENCRYPTION_KEYS,
  PORT: '0',
  LOG_LEVEL: 'silent',
  METADATA_INDEX: 'campaign',
};
const app = await openApp(loadConfig(settings));
const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
try {
  const service = await openMeasuredService(app);
  await service.ledger.publishIndexes(['campaign']);
  const { url } = await openServer(service);
  const video = await writeDemoVideo(folder, 48_000_000);
  const enqueue = (account, { path = video.path, ...options } = {}) =>
    publisher.enqueue({
      ...{ account, mode: 'direct', onDuplicate: 'allow' },
      media: { type: 'file', path },
      post: { title: 'Hello', privacyLevel: 'SELF_ONLY' },
      ...options,
    });
  for (const account of ['acme', 'bakery', 'acme']) await publisher.waitForCompletion((await enqueue(account)).id);
  await enqueue('bakery', { scheduledAt: new Date(Date.now() + 20 * HOUR_MS).toISOString() });
  const isUpload = { endpoint: 'upload', when: { times: 'always' } };
  simulator.faults.add({ ...isUpload, act: { kind: 'slow_read', bytesPerSecond: 4_000_000 } });
  simulator.journal.clear();
  await enqueue('acme');
  await enqueue('acme');
  await publisher.waitForCompletion((await enqueue('bakery', { path: '/videos/opening-hours.mp4' })).id);
  await simulator.journal.waitFor(({ chunk }) => chunk?.accepted === true);
  await mkdir(PICTURES, { recursive: true });
  const page = await browser.newPage({ viewport: { width: 1280, height: 1000 } });
  await page.goto(`${url}/board/queue/tiktok-publish`, { waitUntil: 'networkidle' });
  await page.getByText('Job page').first().waitFor();
  await page.screenshot({ path: join(PICTURES, 'board.png') });
  for (const account of ['bakery', 'bakery']) {
    const { id } = await enqueue(account, { path: '/videos/spring.mp4', metadata: { campaign: 'spring' } });
    await publisher.waitForCompletion(id);
  }
  await publisher.accounts.pause('bakery');
  await enqueue('bakery');
  await countBefore(service.redis);
  const failed = 'state=failed&metadata.campaign=spring';
  for (const [name, path, width, height] of [
    ['console-now', '/', 1100, 1000],
    ['console-publishes', `/publishes?${failed}`, 1100, 700],
    ['console-retry', `/operations/new?kind=retry&${failed}`, 1100, 560],
    ['console-accounts', '/accounts', 1100, 600],
    ['console-phone', '/accounts', 390, 844],
  ]) {
    await page.setViewportSize({ width, height });
    await page.goto(`${url}${path}`);
    await page.screenshot({ path: join(PICTURES, `${name}.png`) });
  }
} finally {
  await browser.close();
  await app.close();
  await kit.close();
  await rm(folder, { recursive: true });
}

/** Publishes of the last hour, for the plots: the jobs above are only seconds old. */
async function countBefore(redis) {
  let now = Date.now() - HOUR_MS;
  const statistics = createStatisticsStore({ redis, keys: app.keys, clock: { now: () => now } });
  for (let number = 0; now < Date.now(); number += 1) {
    now += 30_000 + 20_000 * Math.sin(number / 9);
    const state = number % 17 === 0 ? 'failed' : 'published';
    statistics.note({ state, tookMs: 20_000 + 15_000 * Math.sin(number / 5), lateMs: 2_000 + (number % 7) * 1_500 });
  }
  await statistics.flush();
}
