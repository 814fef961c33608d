import { randomBytes } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createPublisherFromConfig } from '../../../src/app/create-publisher.ts';
import type { PublisherConfig } from '../../../src/app/publisher-config.ts';
import { loadPublisherConfig } from '../../../src/config/guest-config.ts';
import type { AccountInput } from '../../../src/producers/index.ts';
import { PULL_REQUEST } from '../../support/api-site.ts';
import { goThroughConsent, newUser, startSite } from '../../support/connect-site.ts';
import { rejection } from '../../support/rejection.ts';

/** A publisher in another process beside the service. */
async function startGuest(more: Record<string, string | undefined> = {}) {
  const site = await startSite({ CONNECT_RETURN_ORIGINS: 'https://app.example.com' });
  const open = (config: PublisherConfig) => {
    const publisher = createPublisherFromConfig(config);
    onTestFinished(() => publisher.close());
    return publisher;
  };
  // HOST and PORT are those of the app around.
  const env = { ...site.env, HOST: '0.0.0.0', PORT: '8080', PUBLIC_BASE_URL: site.url, ...more };
  return { site, publisher: open(loadPublisherConfig(env)) };
}

describe('publisher.connectLink', () => {
  it('creates a link that the service takes', async () => {
    const { site, publisher } = await startGuest();
    newUser(site.simulator, 'open-id-1');
    const returnTo = 'https://app.example.com/done';
    const before = Date.now();
    const link = await publisher.connectLink({ account: 'acme', returnTo, expiresInMs: 3_600_000 });
    expect(link).toEqual({
      ...{ account: 'acme', returnTo },
      url: expect.stringMatching(`^${site.url}/connect/tiktok\\?link=[\\w-]{43}$`),
      expiresAt: expect.any(String),
    });
    expect(Date.parse(link.expiresAt)).toBeGreaterThanOrEqual(before + 3_600_000);
    const { page } = await goThroughConsent(link.url, 'open-id-1');
    expect(page.location).toBe(`${returnTo}?account=acme&outcome=connected`);
    expect(await publisher.accounts.list()).toMatchObject([{ account: 'acme', openId: 'open-id-1' }]);
  });

  it('names what is wrong', async () => {
    const { publisher } = await startGuest();
    const wrong = { account: 'a name', returnTo: 'settings', expiresInMs: 1_000, expires: 1 };
    const refused = await rejection(publisher.connectLink(wrong));
    expect(refused).toMatchObject({ code: 'INPUT_INVALID' });
    expect(refused).toMatchObject({
      details: { problems: [{ path: 'account' }, { path: 'returnTo' }, { path: 'expiresInMs' }, { path: 'expires' }] },
    });
    for (const expiresInMs of [59_999, 7 * 86_400_000 + 1, 60_000.5]) {
      await expect(publisher.connectLink({ account: 'acme', expiresInMs })).rejects.toMatchObject({
        details: { problems: [{ path: 'expiresInMs' }] },
      });
    }
    const elsewhere = await rejection(publisher.connectLink({ account: 'acme', returnTo: 'https://evil.example' }));
    expect(elsewhere).toMatchObject({
      details: { problems: [{ path: 'returnTo', message: expect.stringContaining('https://app.example.com') }] },
    });
  });

  it.each([
    ['PUBLIC_BASE_URL', { PUBLIC_BASE_URL: undefined }],
    ['ENCRYPTION_KEYS', { ENCRYPTION_KEYS: undefined }],
  ])('says that %s is missing', async (path, missing) => {
    const { publisher } = await startGuest(missing);
    const refused = await rejection(publisher.connectLink({ account: 'acme' }));
    expect(refused).toMatchObject({ code: 'CONFIG_INVALID', details: { problems: [{ path }] } });
  });

  it('creates links that only a service with the same keys takes', async () => {
    const { site, publisher } = await startGuest({ ENCRYPTION_KEYS: randomBytes(32).toString('base64') });
    const { url } = await publisher.connectLink({ account: 'acme' });
    const answer = await fetch(url, { redirect: 'manual' });
    expect([answer.status, await answer.text()]).toEqual([503, expect.stringContaining('CONFIG_KEY_UNKNOWN')]);
    expect(await site.vault.list()).toEqual([]);
  });
});

describe('publisher.accounts', () => {
  it('does what the API does', async () => {
    const { site, publisher } = await startGuest();
    const { accounts } = publisher;
    const { openId, accessToken, refreshToken } = newUser(site.simulator, 'open-id-1', ['video.upload']);
    const input: AccountInput = { account: 'acme', openId, accessToken, refreshToken, scope: 'video.upload' };
    expect(await accounts.connect(input)).toMatchObject({ account: 'acme', missingScopes: ['video.publish'] });
    const overHttp = await (await fetch(`${site.url}/v1/accounts`)).json();
    expect({ accounts: await accounts.list() }).toEqual(overHttp);
    expect(JSON.stringify(await accounts.get(openId))).not.toContain(accessToken);

    expect(await accounts.pause('acme')).toMatchObject({ status: 'paused' });
    // The first takes the turn of the account, the second waits for what the account waits for.
    await publisher.enqueue(PULL_REQUEST);
    const { id } = await publisher.enqueue({ ...PULL_REQUEST, metadata: { second: true } });
    expect(await publisher.get(id)).toMatchObject({ waitingFor: 'account_paused' });
    expect(await accounts.resume(openId)).toMatchObject({ account: 'acme', status: 'active' });
    expect(await publisher.get(id)).not.toMatchObject({ waitingFor: 'account_paused' });

    expect(await accounts.remove('acme')).toEqual({ removed: 'acme', revoked: true });
    expect(site.simulator.journal.requests({ endpoint: 'revoke' })).toHaveLength(1);
    for (const call of ['get', 'pause', 'resume', 'remove'] as const) {
      expect(await rejection(accounts[call]('acme'))).toMatchObject({ code: 'INPUT_ACCOUNT_UNKNOWN' });
    }
  });

  it('keeps the access at TikTok that another program uses', async () => {
    const { site, publisher } = await startGuest();
    const { openId, accessToken } = newUser(site.simulator, 'open-id-1');
    await publisher.accounts.connect({ account: 'acme', openId, accessToken });
    expect(await publisher.accounts.remove('acme', { keepGrant: true })).toEqual({ removed: 'acme', revoked: false });
    expect(site.simulator.journal.requests({ endpoint: 'revoke' })).toEqual([]);
  });

  it('says that the publisher was closed', async () => {
    const { publisher } = await startGuest();
    await publisher.close();
    await expect(publisher.accounts.list()).rejects.toThrow('closed');
    await expect(publisher.connectLink({ account: 'acme' })).rejects.toThrow('closed');
  });
});
