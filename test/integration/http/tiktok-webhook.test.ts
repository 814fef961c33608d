import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { goThroughConsent, newUser, type Site, startSite } from '../../support/connect-site.ts';

const DAY_SECONDS = 86_400;

function reportOf(event: string, createTimeSeconds: number, content: unknown, openId = 'open-id-1'): string {
  return JSON.stringify({
    ...{ client_key: 'simulator-client-key', event, create_time: createTimeSeconds, user_openid: openId },
    content: JSON.stringify(content),
  });
}

function deliver({ url, simulator }: Site, body: string, { secret = simulator.clientSecret, sent = body } = {}) {
  const seconds = Math.floor(Date.now() / 1_000);
  const hex = createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex');
  const headers = { 'content-type': 'application/json', 'tiktok-signature': `t=${seconds},s=${hex}` };
  return fetch(`${url}/webhooks/tiktok`, { method: 'POST', headers, body: sent });
}

/** A site with the account `acme`, and TikTok's clock a moment after its tokens were granted. */
async function startWithAccount() {
  const site = await startSite();
  newUser(site.simulator, 'open-id-1');
  await goThroughConsent(await site.link('acme'), 'open-id-1');
  return { site, laterSeconds: Math.ceil(Date.now() / 1_000) + 1 };
}

const statusOf = async ({ vault }: Site) => (await vault.get('acme'))?.status;
/** What is told beside the accounts that were connected. */
const events = async ({ redis, app }: Site) =>
  (await redis.xrange(app.keys.events, '-', '+')).filter(([, fields]) => !fields.join().includes('account.connected'));

describe("TikTok's webhooks", () => {
  it('let the account of a removed authorization wait for its owner, once however often it is told', async () => {
    const { site, laterSeconds } = await startWithAccount();
    const removed = reportOf('authorization.removed', laterSeconds, { reason: 1 });
    for (let times = 0; times < 3; times++) expect((await deliver(site, removed)).status).toBe(200);
    expect(await statusOf(site)).toBe('reauthorization_required');
    expect((await site.vault.loadTokens('acme')).reauthorizationReason).toContain('its owner disconnected the app');
    expect(await events(site)).toHaveLength(1);
    expect(JSON.stringify(await events(site))).toContain('account.reauthorization_required');
  });

  it('do not disconnect an account whose tokens are newer than the report', async () => {
    const { site, laterSeconds } = await startWithAccount();
    const late = reportOf('authorization.removed', laterSeconds - 2 * DAY_SECONDS, { reason: 1 });
    expect((await deliver(site, late)).status).toBe(200);
    expect(await statusOf(site)).toBe('active');
    expect(await events(site)).toHaveLength(0);
  });

  it('are refused when TikTok did not sign them as they came', async () => {
    const { site, laterSeconds } = await startWithAccount();
    const removed = reportOf('authorization.removed', laterSeconds, { reason: 1 });
    const reformatted = JSON.stringify(JSON.parse(removed), null, 2);
    for (const answer of [
      await deliver(site, removed, { secret: 'guessed' }),
      await deliver(site, removed, { sent: reformatted }),
      await deliver(site, '', { sent: removed }),
      await fetch(`${site.url}/webhooks/tiktok`, { method: 'POST', body: removed }),
    ]) {
      expect(answer.status).toBe(401);
      expect(answer.headers.get('content-type')).toContain('application/problem+json');
      expect(await answer.json()).toMatchObject({ code: 'WEBHOOK_UNSIGNED' });
    }
    expect(await statusOf(site)).toBe('active');
  });

  it('are taken although they are about nobody we know, or about nothing we know', async () => {
    const { site, laterSeconds } = await startWithAccount();
    const bodies = [
      reportOf('authorization.removed', laterSeconds, { reason: 1 }, 'open-id-of-nobody'),
      reportOf('authorization.removed', laterSeconds, { reason: 1 }, ''),
      reportOf('post.publish.complete', laterSeconds, { publish_id: 'v_pub_file~v2-1.1', publish_type: 'DIRECT_POST' }),
      reportOf('something.new', laterSeconds, 'no object'),
      'not JSON at all',
    ];
    for (const body of bodies) expect((await deliver(site, body)).status).toBe(200);
    expect(await statusOf(site)).toBe('active');
  });

  it('are refused without the secret, and when they are far too large', async () => {
    const bare = await startSite({ TIKTOK_CLIENT_KEY: '', TIKTOK_CLIENT_SECRET: '' });
    const unchecked = await deliver(bare, '{}');
    expect(unchecked.status).toBe(503);
    expect(await unchecked.json()).toMatchObject({ code: 'WEBHOOK_NOT_CONFIGURED' });
    const site = await startSite();
    expect((await deliver(site, 'x'.repeat(200_000))).status).toBe(413);
  });
});
