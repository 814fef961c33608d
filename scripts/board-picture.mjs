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
  await page.screenshot({ path: join(PICTURES, 'board.png') });
  for (const account of ['bakery', 'bakery']) {
    const { id } = await enqueue(account, { path: '/videos/spring.mp4', metadata: { campaign: 'spring' } });
    await publisher.waitForCompletion(id);
  }
  await publisher.accounts.pause('bakery');
  await enqueue('bakery');
  await page.setViewportSize({ width: 1100, height: 700 });
  for (const [name, path] of [
    ['console-now', '/'],
    ['console-publishes', '/publishes?state=failed&metadata.campaign=spring'],
  ]) {
    await page.goto(`${url}${path}`);
    await page.screenshot({ path: join(PICTURES, `${name}.png`) });
  }
} finally {
  await browser.close();
  await app.close();
  await kit.close();
  await rm(folder, { recursive: true });
}
