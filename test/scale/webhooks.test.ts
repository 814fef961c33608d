import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { startWebhookSite } from '../support/webhook-site.ts';

const ACCOUNTS = 10;
/** How long TikTok works on a video. */
const PROCESSING_MS = [3_000, 20_000, 60_000];

/** Publishes with production's poll schedule, and counts the polls. */
async function pollsPerJob(processingMs: number, sendsWebhooks: boolean): Promise<number> {
  const site = await startWebhookSite({ simulator: { processingMs }, sendsWebhooks });
  const accounts = Array.from({ length: ACCOUNTS }, (_, n) => `creator-${n}`);
  for (const account of accounts) await site.addAccount(account);
  const jobs = await Promise.all(accounts.map((account) => site.enqueue('direct', account)));
  await eventually(
    async () => {
      const seen = await Promise.all(jobs.map(({ id }) => site.publisher.get(id)));
      return seen.every((job) => job?.state === 'published' && job.postIds.length === 1);
    },
    { timeoutMs: 200_000, intervalMs: 500 },
  );
  return site.polls().length / jobs.length;
}

describe('status polls of a job', () => {
  it('are fewer while webhooks arrive', async () => {
    for (const processingMs of PROCESSING_MS) {
      const [without, withThem] = await Promise.all([
        pollsPerJob(processingMs, false),
        pollsPerJob(processingMs, true),
      ]);
      console.info(
        `scale: polls per job when TikTok works ${processingMs / 1_000} s: ${without.toFixed(1)} alone, ${withThem.toFixed(1)} with webhooks`,
      );
      expect(withThem).toBeLessThanOrEqual(without);
    }
  });
});
