import { describe, expect, it } from 'vitest';
import { enqueue, PULL_REQUEST, startApi } from '../../support/api-site.ts';
import { newUser } from '../../support/connect-site.ts';

describe('/v1/accounts', () => {
  it('connects an account, shows it without its tokens, and renews it', async () => {
    const api = await startApi();
    const user = newUser(api.simulator, 'user-one', ['video.upload']);
    const { openId, accessToken, refreshToken, expiresIn, refreshExpiresIn } = user;
    const tokens = { openId, accessToken, refreshToken, expiresIn, refreshExpiresIn, scope: 'video.upload' };
    const put = await api.call('PUT', '/v1/accounts/acme', tokens);
    expect(put.status).toBe(200);
    expect(put.body).toMatchObject({
      ...{ account: 'acme', openId, status: 'active', scope: 'video.upload' },
      missingScopes: ['video.publish'],
    });
    const shown = await api.call('GET', '/v1/accounts/acme');
    expect(shown.body).toMatchObject({ account: 'acme', openId, accessTokenExpiresAt: expect.any(String) });
    expect((await api.call('GET', `/v1/accounts/${openId}`)).body).toEqual(shown.body);
    expect((await api.call('GET', '/v1/accounts')).body).toEqual({ accounts: [shown.body] });
    expect((await api.call('PUT', '/v1/accounts/acme', tokens)).status).toBe(200);
    for (const { text } of [put, shown]) {
      expect(text).not.toContain(accessToken);
      expect(text).not.toContain(refreshToken);
    }
  });

  it('says what is wrong with tokens without quoting them', async () => {
    const api = await startApi();
    const secret = 'act.secret with a space';
    const body = { openId: 'user-one', accessToken: secret, expiresIn: 'soon', token: 'x' };
    const answer = await api.call('PUT', '/v1/accounts/acme', body);
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({
      code: 'INPUT_INVALID',
      problems: [{ path: 'accessToken' }, { path: 'expiresIn' }, { path: 'token' }],
    });
    expect(answer.text).not.toContain('secret');
    const broken = await fetch(`${api.url}/v1/accounts/acme`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: `{"accessToken": ${secret}}`,
    });
    expect(broken.status).toBe(400);
    const text = await broken.text();
    expect(JSON.parse(text)).toMatchObject({ code: 'BODY_NOT_JSON' });
    expect(text).not.toContain('secret');
  });

  it('keeps a name for one TikTok user', async () => {
    const api = await startApi();
    await api.call('PUT', '/v1/accounts/acme', { openId: 'user-one', accessToken: 'act.one' });
    const answer = await api.call('PUT', '/v1/accounts/acme', { openId: 'user-two', accessToken: 'act.two' });
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ problems: [{ path: 'openId' }] });
  });

  it('holds back what a paused account publishes, and lets it go on', async () => {
    const api = await startApi();
    await api.call('PUT', '/v1/accounts/acme', { openId: 'user-one', accessToken: 'act.one' });
    expect((await api.call('POST', '/v1/accounts/acme/pause')).body).toMatchObject({ status: 'paused' });
    // The first takes the turn of the account, the second waits for what the account waits for.
    await enqueue(api);
    const id = await enqueue(api, { ...PULL_REQUEST, metadata: { second: true } });
    expect((await api.call('GET', `/v1/publishes/${id}`)).body).toMatchObject({ waitingFor: 'account_paused' });
    expect((await api.call('POST', '/v1/accounts/user-one/resume')).body).toMatchObject({ status: 'active' });
    expect((await api.call('GET', `/v1/publishes/${id}`)).body).not.toMatchObject({ waitingFor: 'account_paused' });
  });

  it('gives the access back at TikTok when an account is removed', async () => {
    const api = await startApi();
    const { openId, accessToken } = newUser(api.simulator, 'user-one');
    await api.call('PUT', '/v1/accounts/acme', { openId, accessToken });
    const removed = await api.call('DELETE', '/v1/accounts/acme');
    expect(removed.body).toEqual({ removed: 'acme', revoked: true });
    expect(api.simulator.journal.requests({ endpoint: 'revoke' })).toHaveLength(1);
    expect((await api.call('GET', '/v1/accounts/acme')).body).toMatchObject({ code: 'INPUT_ACCOUNT_UNKNOWN' });
  });

  it('forgets an account although TikTok does not take its token, and says so', async () => {
    const api = await startApi();
    await api.call('PUT', '/v1/accounts/acme', { openId: 'user-one', accessToken: 'act.unknown-to-tiktok' });
    const removed = await api.call('DELETE', '/v1/accounts/acme');
    expect(removed.status).toBe(200);
    expect(removed.body).toMatchObject({ removed: 'acme', revoked: false, problem: expect.any(String) });
    expect((await api.call('GET', '/v1/accounts')).body).toEqual({ accounts: [] });
  });

  it('does not know an account that nobody has connected', async () => {
    const api = await startApi();
    for (const [method, path] of [
      ['GET', ''],
      ['DELETE', ''],
      ['POST', '/pause'],
      ['POST', '/resume'],
      ['GET', '/creator'],
    ] as const) {
      const answer = await api.call(method, `/v1/accounts/nobody${path}`);
      expect(answer.status).toBe(404);
      expect(answer.body).toMatchObject({ code: 'INPUT_ACCOUNT_UNKNOWN' });
    }
  });
});
