import { describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { startWebhookSite, type WebhookSite } from '../../support/webhook-site.ts';

const INBOX_OF_ONE = { limits: { pendingSharesPerDay: 1 }, processingMs: 20 };
/** Sooner than the next try of a job that nothing woke, which comes after an hour; and than a recheck, after a minute. */
const AT_ONCE = { timeoutMs: 45_000 };

async function jobThat(site: WebhookSite, id: string, is: { state?: string; waitingFor?: string }): Promise<void> {
  await eventually(async () => expect(await site.publisher.get(id)).toMatchObject(is), AT_ONCE);
}

/** A draft in the inbox, and a job that waits for its place. */
async function fullInbox(site: WebhookSite) {
  const draft = await site.ended((await site.enqueue('inbox')).id);
  const next = await site.enqueue('inbox');
  await jobThat(site, next.id, { waitingFor: 'pending_share_cap' });
  return { draft, next };
}

const refusals = (site: WebhookSite) =>
  site.simulator.journal.requests({ endpoint: 'inbox_init', code: 'spam_risk_too_many_pending_share' });

describe('F12: a draft that waits for a place in a full inbox', () => {
  it('goes on at once when a webhook says that another draft of its account was posted', async () => {
    const site = await startWebhookSite({ simulator: INBOX_OF_ONE });
    const { draft, next } = await fullInbox(site);
    site.simulator.postDraft(draft.publishId ?? '');
    await jobThat(site, next.id, { state: 'in_inbox' });
    expect(refusals(site)).toHaveLength(1);
  });

  it('waits on when a draft of another account was posted', async () => {
    const site = await startWebhookSite({ simulator: INBOX_OF_ONE });
    await site.addAccount('other');
    const { next } = await fullInbox(site);
    const other = await site.ended((await site.enqueue('inbox', 'other')).id);
    site.simulator.postDraft(other.publishId ?? '');
    await jobThat(site, other.id, { state: 'published' });
    expect(await site.publisher.get(next.id)).toMatchObject({ waitingFor: 'pending_share_cap' });
    expect(refusals(site)).toHaveLength(1);
  });

  it('tries once more, and waits on, where a posted draft keeps its place for a day', async () => {
    const site = await startWebhookSite({ simulator: { ...INBOX_OF_ONE, switches: { postedDraftFreesPlace: false } } });
    const { draft, next } = await fullInbox(site);
    site.simulator.postDraft(draft.publishId ?? '');
    await eventually(() => refusals(site).length === 2, AT_ONCE);
    await jobThat(site, next.id, { state: 'queued', waitingFor: 'pending_share_cap' });
  });
});
