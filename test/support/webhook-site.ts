import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { openWorkers } from '../../src/app/open-workers.ts';
import { publisherOn } from '../../src/app/publisher-on.ts';
import { DEFAULT_POLL_SCHEDULE, type PollSchedule } from '../../src/core/poll-schedule.ts';
import type { SimulatorOptions } from '../../src/simulator/index.ts';
import { startSite } from './connect-site.ts';
import { makeVideo } from './videos.ts';

/** `start` in this process, on a simulated TikTok that sends its webhooks there. */
export async function startWebhookSite(
  options: { simulator?: SimulatorOptions; polls?: Partial<PollSchedule>; sendsWebhooks?: boolean } = {},
) {
  const site = await startSite({ PREFLIGHT: 'off' }, options.simulator);
  const { simulator, url, app, vault, webhooks: reception } = site;
  await openWorkers(site, { settings: { pollSchedule: { ...DEFAULT_POLL_SCHEDULE, ...options.polls } } });
  if (options.sendsWebhooks !== false) {
    simulator.sendWebhooksTo({ url: `${url}/webhooks/tiktok` });
    await reception.noteReceived();
  }
  const publisher = publisherOn(app, site);
  const folder = await mkdtemp(join(tmpdir(), 'tiktok-publisher-videos-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const path = await makeVideo(folder, 1_000);

  async function addAccount(account: string) {
    const { expiresIn, refreshExpiresIn, ...tokens } = simulator.addAccount();
    await vault.add({
      account,
      ...tokens,
      expiresInSeconds: expiresIn,
      refreshExpiresInSeconds: refreshExpiresIn,
    });
  }
  await addAccount('acme');

  return {
    ...site,
    publisher,
    reception,
    addAccount,
    enqueue: (mode: 'direct' | 'inbox', account = 'acme') =>
      publisher.enqueue({
        account,
        media: { type: 'file', path },
        ...(mode === 'direct' ? { mode, post: { privacyLevel: 'PUBLIC_TO_EVERYONE' } } : { mode }),
      }),
    ended: (id: string) => publisher.waitForCompletion(id, { timeoutMs: 90_000 }),
    polls: () => simulator.journal.requests({ endpoint: 'status' }),
  };
}

export type WebhookSite = Awaited<ReturnType<typeof startWebhookSite>>;
