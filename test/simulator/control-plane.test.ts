import { describe, expect, it } from 'vitest';
import { type Simulator, startStandAloneSimulator } from '../../src/simulator/index.ts';
import { call, put, send } from './api-calls.ts';
import { initDraft, initFile, start } from './simulators.ts';

async function control(
  simulator: Simulator,
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  path: string,
  body?: unknown,
) {
  const reply = await send(`${simulator.url}/__simulator${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const parsed: unknown = JSON.parse(reply.text);
  return { status: reply.status, body: parsed, json: reply.json };
}

describe('the control plane', () => {
  it('says what this is and which controls there are', async () => {
    const simulator = await start();
    const { body } = await control(simulator, 'GET', '');
    expect(body).toMatchObject({
      name: 'TikTok simulator',
      controls: expect.arrayContaining(['POST /__simulator/faults']),
    });
    expect((await control(simulator, 'GET', '/health')).body).toMatchObject({ status: 'ok' });
    expect((await control(simulator, 'GET', '/nonsense')).status).toBe(404);
  });

  it('adds, changes, expires and disconnects accounts', async () => {
    const simulator = await start();
    const { json } = await control(simulator, 'POST', '/accounts', { openId: 'ann', scopes: ['video.publish'] });
    expect(json).toMatchObject({
      openId: 'ann',
      scope: 'video.publish',
      expiresIn: 7_200,
      refreshExpiresIn: 15_552_000,
    });
    const account = { accessToken: String(json.accessToken) };
    await control(simulator, 'PATCH', '/accounts', { openId: 'ann', username: 'renamed' });
    expect((await call(simulator, account, 'creator_info', {})).text).toContain('"creator_username":"renamed"');
    await control(simulator, 'POST', '/expire-token', { openId: 'ann' });
    expect((await call(simulator, account, 'creator_info', {})).status).toBe(401);
    expect((await control(simulator, 'POST', '/revoke-grant', { openId: 'ann' })).status).toBe(200);
    expect((await control(simulator, 'PATCH', '/accounts', { openId: 'nobody' })).status).toBe(400);
  });

  it('scripts faults and takes them back', async () => {
    const simulator = await start();
    const account = simulator.addAccount();
    const rule = { endpoint: 'creator_info', when: { times: 'always' }, act: { kind: 'status', httpStatus: 500 } };
    expect((await control(simulator, 'POST', '/faults', rule)).body).toEqual({ id: 1 });
    expect((await call(simulator, account, 'creator_info', {})).status).toBe(500);
    await control(simulator, 'DELETE', '/faults');
    expect((await call(simulator, account, 'creator_info', {})).status).toBe(200);
    const refused = await control(simulator, 'POST', '/faults', { ...rule, act: { kind: 'explode' } });
    expect(refused.status).toBe(400);
    expect(refused.json.error).toContain('kind');
  });

  it('shows requests, publishes and posts, and settles and posts drafts', async () => {
    const simulator = await start({ processingMs: 1_000_000 });
    const account = simulator.addAccount();
    const direct = await initFile(simulator, account, 9);
    const draft = await initDraft(simulator, account, 9);
    for (const { uploadUrl } of [direct, draft]) await put(uploadUrl, Buffer.alloc(9), 0, 9);
    await control(simulator, 'POST', '/settle', { publishId: direct.publishId, failReason: 'spam_risk' });
    await control(simulator, 'POST', '/settle', { publishId: draft.publishId });
    const posted = await control(simulator, 'POST', '/post-draft', { publishId: draft.publishId });
    expect((await control(simulator, 'GET', '/publishes')).body).toMatchObject([
      { publishId: direct.publishId, status: 'FAILED', failReason: 'spam_risk' },
      { publishId: draft.publishId, status: 'PUBLISH_COMPLETE', posts: [posted.json.postId] },
    ]);
    expect((await control(simulator, 'GET', '/posts')).body).toMatchObject([{ postId: posted.json.postId }]);
    const uploads = await control(
      simulator,
      'GET',
      `/journal?endpoint=upload&publishId=${encodeURIComponent(draft.publishId)}`,
    );
    expect(uploads.body).toMatchObject([{ endpoint: 'upload', httpStatus: 201 }]);
    await control(simulator, 'POST', '/reset');
    expect((await control(simulator, 'GET', '/journal')).body).toEqual([]);
  });

  it('lets a request for the journal wait for the next entry', async () => {
    const simulator = await start();
    const account = simulator.addAccount();
    await call(simulator, account, 'creator_info', {});
    const waiting = control(simulator, 'GET', '/journal?endpoint=creator_info&afterSeq=1&waitMs=10000');
    await call(simulator, account, 'creator_info', {});
    expect((await waiting).body).toMatchObject([{ seq: 2 }]);
    expect((await control(simulator, 'GET', '/journal?afterSeq=2&waitMs=1')).body).toEqual([]);
    expect((await control(simulator, 'GET', '/journal?colour=red')).status).toBe(400);
  });
});

describe('the stand-alone simulator', () => {
  it('has an account ready and pulls from any URL', async () => {
    const { simulator, account } = await startStandAloneSimulator({ processingMs: 0 });
    try {
      expect(account.openId).toBe('simulated-creator');
      expect((await call(simulator, account, 'creator_info', {})).json).toMatchObject({ error: { code: 'ok' } });
      const reply = await call(simulator, account, 'inbox_init', {
        source_info: { source: 'PULL_FROM_URL', video_url: `${simulator.url}/__simulator/health` },
      });
      expect(reply.status).toBe(200);
      await expect.poll(() => simulator.journal.publishes()[0]?.status).toBe('SEND_TO_USER_INBOX');
    } finally {
      await simulator.close();
    }
  });
});
