import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseJobQuery } from '../../../src/core/job-filter.ts';
import { decodeEvent, type PublishEvent } from '../../../src/core/publish-event.ts';
import type { PublishRequest } from '../../../src/core/publish-request.ts';
import { newRecord } from '../../../src/ledger/change.ts';
import { createLedger, type Ledger } from '../../../src/ledger/ledger.ts';
import { createLedgerReader } from '../../../src/ledger/ledger-reader.ts';
import type { LedgerRecord } from '../../../src/ledger/record.ts';
import { closeRedis, connectRedis } from '../../../src/redis/connections.ts';
import { createKeys, type Keys } from '../../../src/redis/keys.ts';
import type { RedisClient } from '../../../src/redis/lua-script.ts';
import { freshPrefix, testRedisUrl } from '../../support/redis.ts';

const request: PublishRequest = {
  account: 'acme',
  mode: 'direct',
  media: { type: 'file', path: '/a.mp4' },
  post: { privacyLevel: 'SELF_ONLY' },
};

let redis: RedisClient;
let keys: Keys;
let ledger: Ledger;
let now = 1_000_000;

beforeAll(async () => {
  redis = await connectRedis({ kind: 'url', url: testRedisUrl() }, 'ledger');
});
afterAll(() => closeRedis(redis));
beforeEach(() => {
  keys = createKeys(freshPrefix());
  now = 1_000_000;
  ledger = createLedger({ redis, keys, clock: { now: () => now } });
});

async function create(id = 'job-1', idempotencyKey?: string): Promise<void> {
  now += 1;
  await ledger.create(newRecord({ id, request, now, idempotencyKey }), { event: 'queued' });
}

async function claim(start: number, id = 'job-1', entry = 'q:1'): Promise<LedgerRecord> {
  const claimed = await ledger.claim(id, { entry, start });
  if (claimed.kind !== 'claimed') throw new Error(`claim was ${claimed.kind}`);
  return claimed.record;
}

async function events(): Promise<PublishEvent[]> {
  const entries = await redis.xrange(keys.events, '-', '+');
  return entries.flatMap(([, fields]) => decodeEvent(fields) ?? []);
}

async function eventTypes(): Promise<string[]> {
  return (await events()).map(({ type }) => type);
}

const start = {
  to: 'uploading',
  cause: { event: 'init_sent', source: 'file_upload' },
  event: 'publish.started',
} as const;

describe('the fence', () => {
  it('tells apart an owner by a master that was replaced and one by its successor', async () => {
    await create();
    const before = await redis.dumpBuffer(keys.job('job-1'));
    const older = await claim(1);
    // As after a failover to a replica that had not heard of the claim.
    await redis.restore(keys.job('job-1'), 0, before, 'REPLACE');
    const newer = await claim(1);
    await expect(ledger.commit(older, start)).rejects.toMatchObject({ code: 'INTERNAL_OVERTAKEN' });
    await ledger.commit(newer, start);
  });

  it('lets the latest owner change a record and refuses the one before', async () => {
    await create();
    const first = await claim(1);
    const second = await claim(2);
    expect(second.fence).not.toBe(first.fence);
    await expect(ledger.commit(first, start)).rejects.toMatchObject({ code: 'INTERNAL_OVERTAKEN' });
    await expect(ledger.note(first, { sentBytes: 5 })).rejects.toMatchObject({ code: 'INTERNAL_OVERTAKEN' });
    expect(await ledger.commit(second, start)).toMatchObject({ state: 'uploading' });
    expect(await ledger.read('job-1')).toMatchObject({ state: 'uploading', sentBytes: 0 });
  });

  it('refuses a start that slept through its own takeover', async () => {
    await create();
    await claim(2);
    expect(await ledger.claim('job-1', { entry: 'q:1', start: 1 })).toMatchObject({ kind: 'overtaken' });
    expect(await ledger.claim('job-1', { entry: 'q:1', start: 2 })).toMatchObject({ kind: 'overtaken' });
    expect(await ledger.claim('job-1', { entry: 'q:other', start: 1 })).toMatchObject({ kind: 'claimed' });
  });

  it('stops the owner at work when somebody intervenes', async () => {
    await create();
    const owned = await claim(1);
    const seen = await ledger.read('job-1');
    if (seen === undefined) throw new Error('no record');
    await ledger.intervene(seen, { to: 'cancelled', event: 'publish.cancelled', cause: { event: 'cancelled' } });
    await expect(ledger.commit(owned, start)).rejects.toMatchObject({ code: 'INTERNAL_OVERTAKEN' });
  });

  it('refuses an intervention that was decided on an older revision', async () => {
    await create();
    const seen = await ledger.read('job-1');
    if (seen === undefined) throw new Error('no record');
    await ledger.commit(await claim(1), start);
    await expect(ledger.intervene(seen, { to: 'cancelled', cause: { event: 'cancelled' } })).rejects.toMatchObject({
      code: 'INTERNAL_OVERTAKEN',
    });
    expect(await ledger.read('job-1')).toMatchObject({ state: 'uploading' });
  });
});

describe('a change', () => {
  it('writes state, indexes, timeline and event in one step', async () => {
    await create();
    await ledger.commit(await claim(1), start);
    expect(await eventTypes()).toEqual(['publish.queued', 'publish.started']);
    expect(await redis.zrevrange(keys.stateJobs('queued'), 0, -1)).toEqual([]);
    expect(await redis.zrevrange(keys.stateJobs('uploading'), 0, -1)).toEqual(['job-1']);
    const job = await createLedgerReader({ redis, keys }).read('job-1');
    expect(job?.timeline.map(({ event }) => event)).toEqual(['queued', 'init_sent']);
  });

  it('answers the record as it is stored, and is looked at and kept by Redis’s clock', async () => {
    await create();
    const changed = await ledger.commit(await claim(1), start);
    expect(await ledger.read('job-1')).toEqual(changed);
    const serverTime = await ledger.serverTime();
    expect(Math.abs(serverTime - (changed.stateSince ?? 0))).toBeLessThan(60_000);
    expect(await ledger.takeDue(serverTime, 10)).toEqual([]);
    expect(await ledger.takeDue(serverTime + 61_000, 10)).toEqual(['job-1']);
  });

  it('happens once although ioredis sends the command again after a lost reply', async () => {
    await create();
    const record = await claim(1);
    const sent: string[][] = [];
    // The first call brings the text of its script.
    const original = redis.eval.bind(redis);
    redis.eval = ((...args: Parameters<typeof original>) => {
      sent.push(args.map(String));
      return original(...args);
    }) as typeof redis.eval;
    await ledger.commit(record, start);
    Reflect.deleteProperty(redis, 'eval');
    const [again] = sent;
    if (again === undefined) throw new Error('nothing was sent');
    const [lua = '', count = '0', ...rest] = again;
    expect(await redis.eval(lua, Number(count), ...rest)).toEqual([
      ...['committed', 2, record.fence, expect.anything()],
      ...[[], 0],
    ]);
    expect(await eventTypes()).toEqual(['publish.queued', 'publish.started']);
  });

  it('of a job whose id is made of JSON breaks no event and forges none', async () => {
    const id = 'a","type":"publish.published","subject":"b\\"{}%1\n';
    await create(id);
    await ledger.commit(await claim(1, id), start);
    const reported = await events();
    expect(reported.map(({ type, subject, data }) => ({ type, subject, of: 'id' in data && data.id }))).toEqual([
      { type: 'publish.queued', subject: id, of: id },
      { type: 'publish.started', subject: id, of: id },
    ]);
    expect(reported.map((event) => event.id)).toEqual([`${id}-1-1`, `${id}-2-1`]);
  });

  it('is told by an event that holds exactly what the job holds', async () => {
    const metadata = {
      ...{ none: null, empty: {}, list: [], nested: [[], {}, null], text: 'é "\\" 🎬 \u0000', half: 'x\ud83d' },
      ...{ large: 9_007_199_254_740_991, precise: 0.1234567890123456, tiny: 1e-9, digits: '7512345678901234567' },
    };
    now += 1;
    await ledger.create(newRecord({ id: 'job-1', request: { ...request, metadata }, now }), { event: 'queued' });
    const postIds = ['7512345678901234567'];
    await ledger.commit(await claim(1), {
      ...start,
      patch: { session: { kind: 'upload', publishId: 'p~1' }, postIds },
    });
    const none = { publishId: null, postIds: [], postUrls: [] };
    const data = { id: 'job-1', account: 'acme', mode: 'direct', state: 'queued', ...none };
    const [queued, started] = await events();
    expect(queued).toStrictEqual({
      ...{ specversion: '1.0', id: 'job-1-1-1', source: 'urn:tiktok-publisher', type: 'publish.queued' },
      ...{ subject: 'job-1', time: new Date(now).toISOString(), datacontenttype: 'application/json' },
      data: { ...data, failure: null, metadata },
    });
    expect(started?.data).toStrictEqual({
      ...{ ...data, state: 'uploading', publishId: 'p~1', postIds },
      ...{ failure: null, metadata },
    });
    expect((await ledger.read('job-1'))?.postIds).toEqual(postIds);
  });

  it('with text that is no Unicode is stored all the same', async () => {
    await create();
    const failure = { code: 'INTERNAL_ERROR', message: 'half \ud83d', advice: '', retryable: false } as const;
    const changed = await ledger.commit(await claim(1), {
      ...start,
      patch: { session: { kind: 'upload', publishId: 'p\ud83d' }, failure },
    });
    expect(await ledger.read('job-1')).toEqual({ ...changed, session: { ...changed.session, publishId: 'p\uFFFD' } });
  });

  it('that the state machine does not know is refused as a bug', async () => {
    await create();
    await expect(
      ledger.commit(await claim(1), { to: 'published', cause: { event: 'published' } }),
    ).rejects.toMatchObject({ code: 'INTERNAL_ERROR' });
  });
});

describe('a record in Redis', () => {
  it('holds of a new job only what it does not share with all others', async () => {
    await create();
    const { request: stored = '', ...fields } = await redis.hgetall(keys.job('job-1'));
    expect(Object.keys(fields).sort()).toEqual(
      ['account', 'createdAt', 'fence', 'mode', 'revision', 'state', 'stateSince'].sort(),
    );
    expect(JSON.parse(stored)).toEqual({ media: request.media, post: request.post });
    expect(await ledger.read('job-1')).toMatchObject({
      ...newRecord({ id: 'job-1', request, now }),
      stateSince: expect.any(Number),
    });
    expect(await redis.exists(keys.timeline('job-1'))).toBe(0);
  });

  it('holds the first entries of its timeline, and a list the others, of which the last 300 stay', async () => {
    await create();
    const reader = createLedgerReader({ redis, keys });
    let record = await claim(1);
    const remark = 'x'.repeat(100);
    const entries = 310;
    for (let entry = 0; entry < entries; entry += 1) {
      now += 1;
      record = await ledger.commit(record, { cause: { event: 'creator_noted', remarks: [`${entry} ${remark}`] } });
    }
    const { timeline = '' } = await redis.hgetall(keys.job('job-1'));
    const inRecord = timeline.trim().split('\n').length;
    expect(timeline.length).toBeLessThanOrEqual(1_001);
    expect(inRecord).toBeGreaterThan(5);
    const [first, ...others] = (await reader.read('job-1'))?.timeline ?? [];
    expect(first).toEqual({ at: new Date(record.createdAt).toISOString(), event: 'queued' });
    const numbers = others.map(({ remarks }) => Number(String(remarks).split(' ')[0]));
    const all = Array.from({ length: entries }, (_, entry) => entry);
    expect(numbers).toEqual([...all.slice(0, inRecord), ...all.slice(inRecord).slice(-300)]);
    expect(others.at(-1)?.at).toBe(new Date(now).toISOString());
  });
});

describe('what an earlier version stored', () => {
  it('goes on: a timeline that is a list', async () => {
    await create();
    const queued = { at: new Date(now).toISOString(), event: 'queued' };
    await redis.rpush(keys.timeline('job-1'), JSON.stringify(queued));
    await ledger.commit(await claim(1), start);
    expect(await redis.llen(keys.timeline('job-1'))).toBe(2);
    expect((await createLedgerReader({ redis, keys }).read('job-1'))?.timeline).toEqual([
      queued,
      { at: new Date(now).toISOString(), event: 'init_sent', source: 'file_upload' },
    ]);
  });

  it('is read: a timeline of events that nothing writes any more', async () => {
    await create();
    const entry = { at: '2026-11-22T10:00:01.000Z', event: 'chunk_accepted', chunkIndex: 2 };
    await redis.rpush(keys.timeline('job-1'), JSON.stringify(entry));
    const job = await createLedgerReader({ redis, keys }).read('job-1');
    expect(job?.timeline.at(-1)).toEqual(entry);
  });

  it('is read: facts of a video in another form, and an error code that is not known', async () => {
    await create();
    const pin = { sizeBytes: 5, version: 'v' };
    const failure = { code: 'GONE_SINCE', message: 'what happened', advice: 'what to do', retryable: false };
    await redis.hset(keys.job('job-1'), {
      pin: JSON.stringify(pin),
      examined: JSON.stringify({ pin, facts: { container: 'mp4' } }),
      failure: JSON.stringify(failure),
    });
    const expected = { pin, examined: undefined, failure: { ...failure, code: 'INTERNAL_ERROR' } };
    expect(await ledger.read('job-1')).toMatchObject(expected);
  });
});

describe('a job of an account that goes by its open_id', () => {
  it("is made under the account's own name, also when it is made again", async () => {
    await redis.hset(keys.account('open-id-1'), { aliasOf: 'acme' });
    const made = newRecord({ id: 'job-1', request: { ...request, account: 'open-id-1' }, now });
    const first = await ledger.create(made, { event: 'queued' });
    const again = await ledger.create(made, { event: 'queued' });
    expect([first, again].map(({ id, record }) => [id, record.account])).toEqual(Array(2).fill(['job-1', 'acme']));
    expect((await ledger.read('job-1'))?.account).toBe('acme');
  });
});

describe('an idempotency key', () => {
  it('gives the job that was made under it first', async () => {
    await create('job-1', 'key');
    const record = newRecord({ id: 'job-2', request, now, idempotencyKey: 'key' });
    expect(await ledger.create(record, { event: 'queued' })).toMatchObject({ created: false, id: 'job-1' });
    expect(await ledger.read('job-2')).toBeUndefined();
  });
});

describe('forgetting', () => {
  it('leaves nothing of a job, and keeps one that changed meanwhile', async () => {
    await create('job-1', 'key');
    const record = await ledger.read('job-1');
    if (record === undefined) throw new Error('no record');
    await claim(1);
    await ledger.commit(await claim(2), start);
    expect(await ledger.forget(record)).toBe(false);
    const latest = await ledger.read('job-1');
    if (latest === undefined) throw new Error('no record');
    expect(await ledger.forget(latest)).toBe(true);
    const left = await redis.keys(`${keys.prefix}:*`);
    expect(left).toEqual([keys.events]);
  });
});

describe('a publish_id', () => {
  it('finds its job, until the job begins afresh or is forgotten', async () => {
    await create('job-1', 'key');
    const begun = await ledger.commit(await claim(1), {
      ...start,
      patch: { session: { kind: 'upload', publishId: 'p-1' } },
    });
    expect(await ledger.idOfPublishId('p-1')).toBe('job-1');
    expect((await ledger.noteReport('job-1', 'p-1'))?.toldAt).toBe(now);
    expect(await ledger.noteReport('job-1', 'p-2')).toBeUndefined();
    expect(await ledger.idOfPublishId('p-2')).toBeUndefined();
    const anew = await ledger.commit(begun, { cause: { event: 'handed_back' }, patch: { session: { kind: 'none' } } });
    expect(await ledger.noteReport('job-1', 'p-1')).toBeUndefined();
    const again = await ledger.commit(anew, {
      cause: { event: 'handed_back' },
      patch: { session: { kind: 'upload', publishId: 'p-3' } },
    });
    expect(await ledger.idOfPublishId('p-3')).toBe('job-1');
    expect(await ledger.forget(again)).toBe(true);
    expect(await ledger.idOfPublishId('p-3')).toBeUndefined();
    expect(await redis.pttl(keys.publishId('p-1'))).toBeGreaterThan(4 * 86_400_000);
  });

  it('leaves a report without a trace in revision, history and fence', async () => {
    await create('job-1', 'key');
    const begun = await ledger.commit(await claim(1), {
      ...start,
      patch: { session: { kind: 'upload', publishId: 'p-1' } },
    });
    const reported = await ledger.noteReport('job-1', 'p-1');
    expect({ ...reported, toldAt: undefined }).toEqual({ ...(await ledger.read('job-1')), toldAt: undefined });
    expect(reported).toMatchObject({ revision: begun.revision, fence: begun.fence, updatedAt: begun.updatedAt });
  });
});

describe('polled jobs', () => {
  it('are counted for each account while TikTok works on them', async () => {
    await create('job-1', 'key');
    const { account } = await claim(1);
    const begun = await ledger.commit(await claim(2), start);
    expect(await redis.scard(keys.polledJobs(account))).toBe(0);
    const processing = await ledger.commit(begun, {
      to: 'processing',
      cause: { event: 'upload_completed', totalBytes: 1 },
    });
    expect(await redis.scard(keys.polledJobs(account))).toBe(1);
    await ledger.commit(processing, { to: 'published', cause: { event: 'published' } });
    expect(await redis.scard(keys.polledJobs(account))).toBe(0);
  });
});

describe('listing', () => {
  it('pages newest first without missing or repeating jobs that share a millisecond', async () => {
    for (const [index, at] of [1, 2, 2, 2, 3].entries()) {
      now = 2_000_000 + at;
      await ledger.create(newRecord({ id: `job-${index}`, request, now }), { event: 'queued' });
    }
    const reader = createLedgerReader({ redis, keys });
    for (const filter of [
      {},
      { account: 'acme' },
      { state: 'queued' as const },
      { account: 'acme', state: 'queued' as const },
    ]) {
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await reader.list(parseJobQuery({ ...filter, limit: 2, cursor }));
        seen.push(...page.jobs.map(({ id }) => id));
        cursor = page.nextCursor ?? undefined;
      } while (cursor !== undefined);
      expect(seen).toEqual(['job-4', 'job-3', 'job-2', 'job-1', 'job-0']);
    }
    await expect(reader.list({ order: 'newest', limit: 2, cursor: 'nonsense' })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
    });
  });
});
