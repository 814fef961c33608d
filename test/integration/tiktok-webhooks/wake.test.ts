import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createReservations } from '../../../src/limits/reservations.ts';
import { TIKTOK_QUOTAS } from '../../../src/limits/tiktok-quotas.ts';
import { eventually } from '../../support/eventually.ts';
import { startWebhookSite, type WebhookSite } from '../../support/webhook-site.ts';

const HOUR_MS = 3_600_000;
const RECHECKED_EARLY = { timeoutMs: 45_000 };

/** Sends a report as TikTok would, perhaps with another key or secret. */
async function report(
  { url, simulator }: WebhookSite,
  event: string,
  publishId: string,
  { clientKey = simulator.clientKey } = {},
) {
  const seconds = Math.floor(Date.now() / 1_000);
  const body = JSON.stringify({
    ...{ client_key: clientKey, event, create_time: seconds, user_openid: 'somebody' },
    content: JSON.stringify({ publish_id: publishId, publish_type: 'DIRECT_POST' }),
  });
  const signature = createHmac('sha256', simulator.clientSecret).update(`${seconds}.${body}`).digest('hex');
  const headers = { 'tiktok-signature': `t=${seconds},s=${signature}` };
  return (await fetch(`${url}/webhooks/tiktok`, { method: 'POST', headers, body })).status;
}

const readJob = async ({ publisher }: WebhookSite, id: string) => {
  const job = await publisher.get(id);
  if (job === undefined) throw new Error('no job');
  return job;
};

describe("TikTok's report of an outcome", () => {
  it.each([
    ['published', undefined],
    ['failed', 'file_format_check_failed'],
  ])('brings a job to %s at once, with a single poll', async (state, failReason) => {
    const site = await startWebhookSite({ simulator: { processingMs: 300 } });
    if (failReason !== undefined) {
      site.simulator.faults.add({ endpoint: 'upload', act: { kind: 'fail_processing', failReason } });
    }
    const { id } = await site.enqueue('direct');
    const ended = await site.ended(id);
    expect(ended.state).toBe(state);
    expect(site.polls()).toHaveLength(1);
  });

  it('is not lost when it comes before the job says that it waits for one', async () => {
    const site = await startWebhookSite({ simulator: { processingMs: 0 } });
    const jobs = await Promise.all([1, 2, 3].map(() => site.enqueue('direct')));
    const ended = await Promise.all(jobs.map(({ id }) => site.ended(id)));
    expect(ended.map(({ state }) => state)).toEqual(['published', 'published', 'published']);
    expect(site.polls()).toHaveLength(3);
  });

  it('fetches the id of a post once it is public, and finds out that a draft was posted', async () => {
    const site = await startWebhookSite({ simulator: { processingMs: 100, moderationMs: 2_000 } });
    const [direct, draft] = [await site.enqueue('direct'), await site.enqueue('inbox')];
    expect((await site.ended(direct.id)).postIds).toEqual([]);
    expect((await site.ended(draft.id)).state).toBe('in_inbox');
    site.simulator.postDraft((await readJob(site, draft.id)).publishId ?? '');
    await eventually(async () => {
      const jobs = await Promise.all([direct, draft].map(({ id }) => readJob(site, id)));
      return jobs.every(({ state, postIds }) => state === 'published' && postIds.length === 1);
      // Sooner than a recheck that nothing woke, which comes after a minute.
    }, RECHECKED_EARLY);
    const posts = site.simulator.journal.posts().map(({ postId }) => postId);
    expect((await readJob(site, direct.id)).postIds).toEqual(posts.slice(0, 1));
  });

  it('does no harm when it comes twice, late, out of order, for nobody or for another app', async () => {
    const site = await startWebhookSite({ simulator: { processingMs: 200 } });
    site.simulator.sendWebhooksTo({ url: `${site.url}/webhooks/tiktok`, duplicates: 1 });
    const { id } = await site.enqueue('direct');
    const ended = await site.ended(id);
    await eventually(() => site.simulator.webhooks.length === 4);
    await eventually(async () => (await readJob(site, id)).postIds.length === 1);
    const before = { job: await readJob(site, id), polls: site.polls().length };
    const publishId = ended.publishId ?? '';
    for (const event of ['inbox_delivered', 'failed', 'complete', 'publicaly_available']) {
      expect(await report(site, `post.publish.${event}`, publishId)).toBe(200);
      expect(await report(site, `post.publish.${event}`, 'v_pub_file~v2-1.404')).toBe(200);
      expect(await report(site, `post.publish.${event}`, publishId, { clientKey: 'another-app' })).toBe(200);
    }
    expect(await readJob(site, id)).toEqual(before.job);
    expect(site.polls()).toHaveLength(before.polls);
    const text = await site.metrics.render();
    expect(text).toContain('tiktok_webhooks_received_total{event="complete",outcome="unknown_publish_id"} 1');
    expect(text).toContain('tiktok_webhooks_received_total{event="failed",outcome="other_app"} 1');
  });

  it('tells once that the public can no longer see a post', async () => {
    const site = await startWebhookSite({ simulator: { processingMs: 0 } });
    const { id } = await site.enqueue('direct');
    const publishId = (await site.ended(id)).publishId ?? '';
    await eventually(async () => (await readJob(site, id)).postIds.length === 1);
    for (let n = 0; n < 3; n++) {
      expect(await report(site, 'post.publish.no_longer_publicaly_available', publishId)).toBe(200);
    }
    const job = await readJob(site, id);
    expect(job).toMatchObject({ state: 'published' });
    expect(job.timeline.filter(({ event }) => event === 'no_longer_public')).toHaveLength(1);
    const stored = JSON.stringify(await site.redis.xrange(site.app.keys.events, '-', '+'));
    expect(stored.split('publish.no_longer_public')).toHaveLength(2);
  });

  it("keeps to the account's quota: a woken poll waits for its reservation, and is not woken again", async () => {
    const site = await startWebhookSite({ simulator: { processingMs: HOUR_MS } });
    const { id } = await site.enqueue('direct');
    await eventually(async () => (await readJob(site, id)).state === 'processing');
    const { publishId } = await readJob(site, id);
    const reservations = createReservations({ redis: site.redis, keys: site.app.keys });
    for (let n = 0; n < TIKTOK_QUOTAS.status.limit; n++) {
      await reservations.reserve({ account: 'acme', endpoint: 'status', ...TIKTOK_QUOTAS.status });
    }
    const starts = async () => (await site.queues.status.getJob(id))?.attemptsStarted;
    expect(await report(site, 'post.publish.complete', publishId ?? '')).toBe(200);
    await eventually(async () => (await starts()) === 1 && (await site.queues.status.getJob(id))?.isDelayed());
    for (let n = 0; n < 5; n++) await report(site, 'post.publish.complete', publishId ?? '');
    expect(await (await site.queues.status.getJob(id))?.isDelayed()).toBe(true);
    expect(await starts()).toBe(1);
    expect(site.polls()).toEqual([]);
  });
});

/** What workers go by. */
async function areReportsKnownToArrive({ redis, app }: Pick<WebhookSite, 'redis' | 'app'>): Promise<boolean> {
  return (await redis.exists(app.keys.webhooksArrive)) === 1;
}

describe('polls', () => {
  it('go on alone, and often, once an outcome came without a report', async () => {
    const withWebhooks = { firstMs: 400, factor: 1, maxMs: 400, slowMs: 400 };
    const site = await startWebhookSite({
      simulator: { processingMs: 100 },
      polls: { withWebhooks, minPerOpenJobMs: 0 },
    });
    site.simulator.sendWebhooksTo(undefined);
    expect(await areReportsKnownToArrive(site)).toBe(true);
    const { id } = await site.enqueue('direct');
    expect((await site.ended(id)).state).toBe('published');
    expect(await areReportsKnownToArrive(site)).toBe(false);
  });
});
