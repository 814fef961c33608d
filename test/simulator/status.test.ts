import { describe, expect, it } from 'vitest';
import { type AccountTokens, type Simulator, startSimulator } from '../../src/simulator/index.ts';
import { call, errorCode, put } from './api-calls.ts';
import { initDraft, initFile, startWithClock } from './simulators.ts';

const FILE = Buffer.from('a short film');

async function statusText(simulator: Simulator, account: AccountTokens, publishId: string) {
  return JSON.stringify((await call(simulator, account, 'status', { publish_id: publishId })).json.data);
}

async function uploaded(simulator: Simulator, account: AccountTokens, privacyLevel = 'SELF_ONLY') {
  const { publishId, uploadUrl } = await initFile(simulator, account, FILE.length, { privacy_level: privacyLevel });
  await put(uploadUrl, FILE, 0, FILE.length);
  return publishId;
}

describe('status of a direct post', () => {
  it('goes from upload over processing to complete, and shows no id of a private post', async () => {
    const { clock, simulator, account } = await startWithClock({ processingMs: 1_000 });
    const { publishId, uploadUrl } = await initFile(simulator, account, FILE.length);
    expect(await statusText(simulator, account, publishId)).toBe('{"status":"PROCESSING_UPLOAD"}');
    await put(uploadUrl, FILE, 0, FILE.length);
    clock.advance(999);
    expect(await statusText(simulator, account, publishId)).toBe('{"status":"PROCESSING_UPLOAD","uploaded_bytes":12}');
    expect(simulator.journal.posts()).toEqual([]);
    clock.advance(1);
    expect(await statusText(simulator, account, publishId)).toBe('{"status":"PUBLISH_COMPLETE"}');
    expect(simulator.journal.posts()).toMatchObject([{ publishId }]);
  });

  it('shows the id of a public post after moderation, as digits that a double cannot hold', async () => {
    const { clock, simulator, account } = await startWithClock({ processingMs: 0, moderationMs: 5_000 });
    const publishId = await uploaded(simulator, account, 'PUBLIC_TO_EVERYONE');
    expect(await statusText(simulator, account, publishId)).toBe('{"status":"PUBLISH_COMPLETE"}');
    clock.advance(5_000);
    const reply = await call(simulator, account, 'status', { publish_id: publishId });
    const shown = /"publicaly_available_post_id":\[(\d{19})\]/.exec(reply.text)?.[1] ?? '';
    expect(simulator.journal.publishes()).toMatchObject([{ posts: [shown] }]);
    expect(String(Number(shown))).not.toBe(shown);
    expect(BigInt(shown)).toBeLessThan(2n ** 63n);
  });

  it('shows every field when so switched', async () => {
    const { simulator, account } = await startWithClock({ switches: { statusFields: 'all' } });
    const publishId = await uploaded(simulator, account);
    const reply = await call(simulator, account, 'status', { publish_id: publishId });
    expect(reply.json.data).toEqual({
      status: 'PROCESSING_UPLOAD',
      fail_reason: '',
      publicaly_available_post_id: [],
      uploaded_bytes: FILE.length,
      downloaded_bytes: 0,
    });
  });

  it('is settled early on request, well or badly', async () => {
    const { simulator, account } = await startWithClock({ processingMs: 1_000_000 });
    const [well, badly] = [await uploaded(simulator, account), await uploaded(simulator, account)];
    const { publishId: incomplete } = await initFile(simulator, account, 9);
    simulator.settle(well);
    simulator.settle(badly, 'spam_risk');
    expect(() => simulator.settle(incomplete)).toThrow('lacks bytes');
    expect(await statusText(simulator, account, well)).toBe('{"status":"PUBLISH_COMPLETE"}');
    expect(await statusText(simulator, account, badly)).toBe('{"status":"FAILED","fail_reason":"spam_risk"}');
  });
});

describe('status of a draft', () => {
  it('reaches the inbox and completes each time the person posts it', async () => {
    const { simulator, account } = await startWithClock({ processingMs: 0 });
    const { publishId, uploadUrl } = await initDraft(simulator, account, FILE.length);
    expect(() => simulator.postDraft(publishId)).toThrow('expected a draft in the inbox');
    await put(uploadUrl, FILE, 0, FILE.length);
    expect(await statusText(simulator, account, publishId)).toBe('{"status":"SEND_TO_USER_INBOX"}');
    expect(simulator.journal.posts()).toEqual([]);
    const ids = [simulator.postDraft(publishId), simulator.postDraft(publishId)];
    simulator.postDraft(publishId, { isPublic: false });
    const reply = await call(simulator, account, 'status', { publish_id: publishId });
    expect(reply.text).toContain(`"status":"PUBLISH_COMPLETE","publicaly_available_post_id":[${ids.join(',')}]`);
    expect(simulator.journal.posts()).toHaveLength(3);
  });

  it('is posted by itself after the configured time', async () => {
    const { clock, simulator, account } = await startWithClock({ processingMs: 0, inboxPostedAfterMs: 60_000 });
    const { publishId, uploadUrl } = await initDraft(simulator, account, FILE.length);
    await put(uploadUrl, FILE, 0, FILE.length);
    clock.advance(59_999);
    expect(await statusText(simulator, account, publishId)).toBe('{"status":"SEND_TO_USER_INBOX"}');
    clock.advance(1);
    expect(await statusText(simulator, account, publishId)).toContain('PUBLISH_COMPLETE');
  });
});

describe('a publish_id', () => {
  it('is refused when unknown, missing or of another user', async () => {
    const { simulator, account } = await startWithClock();
    const publishId = await uploaded(simulator, account);
    const other = simulator.addAccount();
    for (const endpoint of ['status', 'cancel'] as const) {
      const replies = [
        await call(simulator, account, endpoint, { publish_id: 'v_pub_file~v2-1.1' }),
        await call(simulator, other, endpoint, { publish_id: publishId }),
        await call(simulator, account, endpoint, {}),
        await call(simulator, account, endpoint, { publish_id: 7 }),
      ];
      expect(replies.map((reply) => [reply.status, errorCode(reply)])).toEqual([
        [400, 'invalid_publish_id'],
        [400, 'token_not_authorized_for_specified_publish_id'],
        [400, 'invalid_params'],
        [400, 'invalid_params'],
      ]);
    }
  });

  it('becomes known late and is forgotten when so switched', async () => {
    const { clock, simulator, account } = await startWithClock({
      switches: { publishIdUnknownForMs: 3_000, publishIdLifetimeMs: 100_000 },
    });
    const publishId = await uploaded(simulator, account);
    const codes: string[] = [];
    for (const ms of [2_999, 1, 96_999, 1]) {
      clock.advance(ms);
      codes.push(errorCode(await call(simulator, account, 'status', { publish_id: publishId })));
    }
    expect(codes).toEqual(['invalid_publish_id', 'ok', 'ok', 'invalid_publish_id']);
  });
});

describe('a user who disconnects the app', () => {
  it('fails what is under way, keeps what is posted, and stops the upload', async () => {
    const { clock, simulator, account } = await startWithClock({ processingMs: 1_000 });
    const posted = await uploaded(simulator, account);
    clock.advance(1_000);
    const processing = await uploaded(simulator, account);
    const uploading = await initFile(simulator, account, FILE.length);
    simulator.revokeGrant(account.openId);
    expect((await call(simulator, account, 'status', { publish_id: posted })).status).toBe(401);
    expect((await put(uploading.uploadUrl, FILE, 0, FILE.length)).status).toBe(404);
    clock.advance(10_000);
    const outcome = simulator.journal.publishes().map(({ publishId, failReason }) => [publishId, failReason]);
    expect(outcome).toEqual([
      [posted, undefined],
      [processing, 'auth_removed'],
      [uploading.publishId, 'auth_removed'],
    ]);
    expect(simulator.journal.posts()).toHaveLength(1);
  });
});

describe('ids under a seed', () => {
  it('are always rounded by a parser that reads doubles', async () => {
    const { simulator, account } = await startWithClock({
      limits: { initPerMinute: 100, postsPerDay: 100 },
      processingMs: 0,
    });
    for (let index = 0; index < 20; index++) await uploaded(simulator, account);
    const ids = simulator.journal.posts().map(({ postId }) => postId);
    expect(ids.filter((id) => BigInt(id) % 2n === 0n || BigInt(Number(id)) === BigInt(id))).toEqual([]);
    expect(new Set(ids).size).toBe(20);
  });

  it('are the same in every run, whatever else is asked in between, and differ under another seed', async () => {
    const idsOf = async (seed: number, polls: number) => {
      const simulator = await startSimulator({ seed });
      try {
        const account = simulator.addAccount();
        const first = await initFile(simulator, account, 9);
        for (let index = 0; index < polls; index++) await statusText(simulator, account, first.publishId);
        const second = await initFile(simulator, account, 9);
        return [account.accessToken, first.publishId, second.publishId, new URL(second.uploadUrl).search];
      } finally {
        await simulator.close();
      }
    };
    const ids = await idsOf(7, 0);
    expect(await idsOf(7, 3)).toEqual(ids);
    const others = await idsOf(8, 0);
    expect(others.filter((id) => ids.includes(id))).toEqual([]);
  });
});
