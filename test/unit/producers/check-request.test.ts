import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { CreatorInfo } from '../../../src/core/creator-rules.ts';
import type { PhotoItem } from '../../../src/core/new-request.ts';
import type { LookAtPhoto } from '../../../src/core/ports.ts';
import { PublishError } from '../../../src/core/publish-error.ts';
import type { PublishRequest } from '../../../src/core/publish-request.ts';
import { digestRequest } from '../../../src/core/request-digest.ts';
import { openFileSource } from '../../../src/media/file-source.ts';
import { lookAtSource } from '../../../src/media/photo-look.ts';
import { probeMedia } from '../../../src/media/probe/probe-media.ts';
import type { PreflightAccount, PreflightQuota } from '../../../src/producers/check-account.ts';
import { checkRequest, type PreflightDeps } from '../../../src/producers/check-request.ts';
import { mediaFixture } from '../../support/media-fixtures.ts';

const CREATOR: CreatorInfo = {
  username: 'acme',
  nickname: 'Acme',
  avatarUrl: undefined,
  privacyLevelOptions: ['PUBLIC_TO_EVERYONE', 'SELF_ONLY'],
  commentDisabled: false,
  duetDisabled: true,
  stitchDisabled: false,
  maxVideoDurationSeconds: 300,
};
const ACCOUNT: PreflightAccount = { name: 'acme', status: 'active', scopes: ['video.publish'] };
const REQUEST: PublishRequest = {
  account: 'acme',
  mode: 'direct',
  media: { type: 'file', path: mediaFixture('h264.mp4') },
  post: { privacyLevel: 'SELF_ONLY' },
};

const NOW = Date.UTC(2026, 10, 30, 12);
const NO_LIMITS: PreflightQuota = {
  initWaitMs: async () => 0,
  postsLastDay: async () => 0,
  nextDailyTryAt: async () => NOW,
  heldBackUntil: async () => undefined,
  delayOf: async () => undefined,
};

function deps(changes: Partial<PreflightDeps> = {}): PreflightDeps {
  return {
    openMedia: async (media, kind) => {
      if (media.type !== 'file') throw new Error('only files are opened');
      return await openFileSource(media.path, { kind });
    },
    lookAtPhoto: async (photo) =>
      photo.type === 'file'
        ? await lookAtSource(await openFileSource(photo.path, { kind: 'photo' }))
        : { size: { width: 1_080, height: 1_920 } },
    probeMedia,
    accounts: { find: async () => ACCOUNT, askCreator: async () => CREATOR },
    quota: NO_LIMITS,
    duplicates: { onDuplicate: 'warn', find: async () => undefined },
    holdOf: async () => undefined,
    factsOf: async () => ({}),
    refuseCallback: () => undefined,
    jobOfKey: async () => undefined,
    clock: { now: () => NOW },
    nameOf: async (name) => name,
    ...changes,
  };
}

const withAccount = (account: PreflightAccount | undefined, creator: CreatorInfo | PublishError = CREATOR) =>
  deps({
    accounts: {
      find: async () => account,
      askCreator: async () => {
        if (creator instanceof PublishError) throw creator;
        return creator;
      },
    },
  });

const CHECKED = { checked: true };
const skipped = (reason: string) => ({ checked: false, reason: expect.stringContaining(reason) });

describe('the report on a request', () => {
  it('finds nothing in one that can be published, and says that all of it was checked', async () => {
    const { facts, ...report } = await checkRequest(REQUEST, deps());
    const checked = {
      ...{ request: CHECKED, media: CHECKED, duplicates: CHECKED },
      ...{ account: CHECKED, creator: CHECKED, quota: CHECKED },
    };
    expect(report).toEqual({ ok: true, findings: [], checked });
    expect(facts).toMatchObject({ container: 'mp4', durationSeconds: 4 });
  });

  it('lists everything at once', async () => {
    const request = {
      ...REQUEST,
      media: { type: 'file', path: mediaFixture('side-200.mp4') },
      post: { privacyLevel: 'MUTUAL_FOLLOW_FRIENDS', disableDuet: false },
    };
    const { ok, findings } = await checkRequest(request, withAccount({ ...ACCOUNT, status: 'paused' }));
    expect(ok).toBe(false);
    expect(findings.map(({ severity, code, field }) => [severity, code, field])).toEqual([
      ['refuse', 'INPUT_MEDIA_PICTURE_SIZE', 'media.pictureSize'],
      ['warn', 'AUTH_ACCOUNT_PAUSED', 'account'],
      ['refuse', 'TIKTOK_PRIVACY_MISMATCH', 'post.privacyLevel'],
      ['warn', 'CREATOR_SETTING_OFF', 'post.disableDuet'],
    ]);
  });

  it('names each field of a request that is not valid, and checks no more', async () => {
    const { ok, findings, facts, checked } = await checkRequest({ ...REQUEST, mode: 'loud', colour: 1 }, deps());
    expect({ ok, facts }).toEqual({ ok: false, facts: null });
    expect(findings.map(({ code, field }) => [code, field])).toEqual([
      ['INPUT_INVALID', 'mode'],
      ['INPUT_INVALID', 'colour'],
    ]);
    expect(checked.media).toEqual(skipped('not valid'));
  });

  it.each([null, 'a text', 7, []])('takes even %j for a request that is not valid', async (input) => {
    expect(await checkRequest(input, deps())).toMatchObject({ ok: false, findings: [{ code: 'INPUT_INVALID' }] });
  });

  it('says what keeps a file from being opened', async () => {
    const request = { ...REQUEST, media: { type: 'file', path: '/nowhere/a.mp4' } };
    const { findings } = await checkRequest(request, deps());
    expect(findings).toMatchObject([{ code: 'INPUT_MEDIA_NOT_FOUND', severity: 'refuse', field: 'media' }]);
  });

  it('does not look into what TikTok fetches', async () => {
    const request = { ...REQUEST, media: { type: 'pull', url: 'https://videos.example.com/a.mp4' } };
    const { ok, checked, facts } = await checkRequest(request, deps());
    expect({ ok, facts }).toEqual({ ok: true, facts: null });
    expect(checked.media).toEqual(skipped('TikTok downloads the media'));
  });

  it('looks at the photos that TikTok is to download, and names those that it would refuse', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'check-request-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const path = join(folder, '1.jpg');
    await writeFile(path, Buffer.from([0xff, 0xd8, 0xff, 0xe0]));
    const photosOf = async (...items: PhotoItem[]) =>
      await checkRequest({ ...REQUEST, media: { type: 'photos', items } }, deps());
    const photo = { type: 'file', path } as const;
    const good = await photosOf(photo, photo);
    expect([good.ok, good.checked.media]).toEqual([true, { checked: true }]);
    const video = { type: 'file', path: mediaFixture('h264.mp4') } as const;
    const { ok, findings, checked } = await photosOf(photo, video, {
      type: 'pull',
      url: 'https://a.example.com/3.jpg',
    });
    expect([ok, checked.media]).toEqual([false, { checked: true }]);
    expect(findings).toMatchObject([{ code: 'INPUT_PHOTO_UNSUPPORTED', severity: 'refuse', field: 'media.items.1' }]);
  });

  it('looks into a video that TikTok is to download from us, and says if it cannot do so', async () => {
    const request = { ...REQUEST, media: { ...REQUEST.media, via: 'pull' } };
    const { facts, checked, findings } = await checkRequest(request, deps());
    expect([facts?.container, checked.media, findings]).toEqual(['mp4', { checked: true }, []]);
    const without = deps({ hasPullAddress: false });
    expect(await checkRequest(request, without)).toMatchObject({
      ...{ ok: true, findings: [{ code: 'CONFIG_PULL_ADDRESS_MISSING', severity: 'warn', field: 'media' }] },
    });
    expect((await checkRequest(REQUEST, without)).findings).toEqual([]);
  });

  it('holds the length of the video against what its creator may post', async () => {
    const { findings } = await checkRequest(REQUEST, withAccount(ACCOUNT, { ...CREATOR, maxVideoDurationSeconds: 3 }));
    expect(findings).toMatchObject([{ code: 'TIKTOK_MEDIA_DURATION', severity: 'refuse' }]);
  });

  it('says why accounts were not looked at', async () => {
    const { ok, checked } = await checkRequest(REQUEST, deps({ accounts: 'ENCRYPTION_KEYS is not set' }));
    expect(ok).toBe(true);
    expect([checked.account, checked.creator]).toEqual([skipped('ENCRYPTION_KEYS'), skipped('ENCRYPTION_KEYS')]);
  });
});

describe('an account', () => {
  it('that is not known is refused, and its creator not asked for', async () => {
    const { findings, checked } = await checkRequest(REQUEST, withAccount(undefined));
    expect(findings).toMatchObject([
      { code: 'INPUT_ACCOUNT_UNKNOWN', severity: 'refuse', found: 'no account acme is connected' },
    ]);
    expect(checked.creator).toEqual(skipped('not connected'));
  });

  it('that must be connected again makes the job wait', async () => {
    const { ok, findings } = await checkRequest(
      REQUEST,
      withAccount({ ...ACCOUNT, status: 'reauthorization_required' }),
    );
    expect(ok).toBe(true);
    expect(findings).toMatchObject([{ code: 'AUTH_REAUTHORIZATION_REQUIRED', severity: 'warn' }]);
  });

  it.each([
    ['direct', 'video.upload', ['AUTH_SCOPE_MISSING']],
    ['direct', 'video.publish', []],
    ['inbox', 'video.publish', ['AUTH_SCOPE_MISSING']],
    ['inbox', 'video.upload', []],
  ] as const)('for %s with the scope %s: %j', async (mode, scope, expected) => {
    const { post, ...rest } = REQUEST;
    const request = mode === 'direct' ? REQUEST : { ...rest, mode };
    const { findings } = await checkRequest(request, withAccount({ ...ACCOUNT, scopes: [scope] }));
    expect(post).toBeDefined();
    expect(findings.map(({ code }) => code)).toEqual(expected);
  });

  it('that lacks the scope is told so once, although TikTok says it, too', async () => {
    const asked = withAccount({ ...ACCOUNT, scopes: ['video.upload'] }, new PublishError('AUTH_SCOPE_MISSING'));
    const { findings } = await checkRequest(REQUEST, asked);
    expect(findings).toMatchObject([{ code: 'AUTH_SCOPE_MISSING', limit: 'video.publish' }]);
  });

  it.each([
    ['TIKTOK_DAILY_POST_CAP', 'warn'],
    ['TIKTOK_ACTIVE_USER_CAP', 'warn'],
    ['TIKTOK_USER_BANNED', 'refuse'],
  ] as const)('of which TikTok says %s: %s', async (code, severity) => {
    const { findings } = await checkRequest(REQUEST, withAccount(ACCOUNT, new PublishError(code)));
    expect(findings).toMatchObject([{ code, severity }]);
  });

  it('of which TikTok has nothing to say just now is not held up by that', async () => {
    const { ok, findings, checked } = await checkRequest(
      REQUEST,
      withAccount(ACCOUNT, new PublishError('TRANSPORT_CONNECT_FAILED')),
    );
    expect({ ok, findings }).toEqual({ ok: true, findings: [] });
    expect(checked.creator).toEqual(skipped('the query to TikTok failed'));
  });
});

describe('limits that are used up', () => {
  const until = Date.UTC(2026, 11, 1);
  const quota: PreflightQuota = {
    ...NO_LIMITS,
    initWaitMs: async () => 12_345,
    postsLastDay: async () => 15,
    nextDailyTryAt: async () => until - 1_000,
    heldBackUntil: async () => until,
  };
  const told = async (request: unknown, limits: PreflightQuota) => {
    const { ok, findings } = await checkRequest(request, deps({ quota: limits }));
    expect(ok).toBe(true);
    return findings.map(({ severity, code, found }) => `${severity} ${code} ${found}`);
  };

  it('are told with their times and refuse nothing', async () => {
    expect(await told(REQUEST, quota)).toEqual([
      expect.stringMatching(/^warn TIKTOK_RATE_LIMITED .*13 s$/),
      'warn TIKTOK_DAILY_POST_CAP 15; the job looks again at 2026-11-30T23:59:59.000Z',
      expect.stringMatching(/^warn TIKTOK_ACTIVE_USER_CAP .*2026-12-01T00:00:00.000Z$/),
    ]);
  });

  it.each([
    ['TIKTOK_DAILY_POST_CAP', 'the job looks again at 2026-11-30T23:59:59.000Z'],
    ['TIKTOK_ACTIVE_USER_CAP', 'the job looks again at 2026-12-01T00:00:00.000Z'],
  ] as const)('are told once, with their time, where TikTok says %s, too', async (code, found) => {
    const asked = withAccount(ACCOUNT, new PublishError(code));
    const { findings } = await checkRequest(REQUEST, { ...asked, quota });
    expect(findings.filter((finding) => finding.code === code)).toMatchObject([
      { severity: 'warn', found: expect.stringContaining(found) },
    ]);
  });

  it('do not concern a job that is scheduled for later', async () => {
    expect(await told({ ...REQUEST, scheduledAt: '2026-12-01T00:00:00.000Z' }, quota)).toEqual([]);
  });

  it('are told where TikTok reported them, although we did not use them up', async () => {
    const delayed = (reason: 'daily_cap' | 'pending_share_cap') => ({
      ...NO_LIMITS,
      delayOf: async () => ({ reason, until }),
    });
    const { post: _, ...rest } = REQUEST;
    const draft = { ...rest, mode: 'inbox' };
    const at = '2026-12-01T00:00:00.000Z';
    expect(await told(REQUEST, delayed('daily_cap'))).toEqual([expect.stringMatching(`TIKTOK_DAILY_POST_CAP .*${at}`)]);
    expect(await told(REQUEST, delayed('pending_share_cap'))).toEqual([]);
    const drafts = deps({ quota: delayed('pending_share_cap'), accounts: 'not here' });
    expect((await checkRequest(draft, drafts)).findings).toMatchObject([
      { code: 'TIKTOK_PENDING_SHARE_CAP', severity: 'warn', found: expect.stringContaining(at) },
    ]);
  });
});

describe('a time that is over', () => {
  it('is refused as the real run would', async () => {
    const { ok, findings } = await checkRequest({ ...REQUEST, scheduledAt: '2026-11-30T11:00:00Z' }, deps());
    expect(ok).toBe(false);
    expect(findings).toMatchObject([{ code: 'INPUT_SCHEDULED_IN_PAST', severity: 'refuse', field: 'scheduledAt' }]);
  });
});

describe('an idempotency key', () => {
  it.each([
    [digestRequest(REQUEST), 'warn IDEMPOTENCY_KEY_SEEN'],
    ['of another request', 'refuse IDEMPOTENCY_CONFLICT'],
  ])('that was used for the request %s: %s', async (requestDigest, expected) => {
    const jobOfKey = async (key: string) => (key === 'k1' ? { id: 'first', requestDigest } : undefined);
    const { findings } = await checkRequest(REQUEST, deps({ jobOfKey }), 'k1');
    expect(findings.map(({ severity, code }) => `${severity} ${code}`)).toEqual([expected]);
    expect(findings[0]?.found).toContain('job first');
    expect((await checkRequest(REQUEST, deps({ jobOfKey }), 'k2')).findings).toEqual([]);
  });
});

describe('the same video on the account', () => {
  const find = async (account: string, digest: string) =>
    account === 'acme' && /^[0-9a-f]{64}$/.test(digest) ? ({ id: 'other', state: 'published' } as const) : undefined;
  const withSetting = (onDuplicate: 'allow' | 'warn' | 'refuse') => deps({ duplicates: { onDuplicate, find } });

  it.each([
    ['warn', 'warn'],
    ['refuse', 'refuse'],
  ] as const)('with %s: %s', async (onDuplicate, severity) => {
    const found = 'publish job other of this account has the same media and is published';
    const expected = [{ code: 'INPUT_DUPLICATE_VIDEO', severity, found }];
    expect((await checkRequest(REQUEST, withSetting(onDuplicate))).findings).toMatchObject(expected);
    expect((await checkRequest({ ...REQUEST, onDuplicate }, withSetting('allow'))).findings).toMatchObject(expected);
  });

  it('is not looked for where duplicates are allowed or the video cannot be read', async () => {
    const allowed = await checkRequest(REQUEST, withSetting('allow'));
    expect(allowed).toMatchObject({ findings: [], checked: { duplicates: skipped('allowed') } });
    const missing = { ...REQUEST, media: { type: 'file', path: '/nowhere/a.mp4' } };
    const { checked } = await checkRequest(missing, withSetting('warn'));
    expect(checked.duplicates).toEqual(skipped('could not be read'));
  });

  it('is found by its URL where TikTok downloads it', async () => {
    const request = { ...REQUEST, media: { type: 'pull', url: 'https://videos.example.com/a.mp4' } };
    expect((await checkRequest(request, withSetting('warn'))).findings).toMatchObject([
      { code: 'INPUT_DUPLICATE_VIDEO', severity: 'warn' },
    ]);
  });
});

describe('what TikTok does not take over', () => {
  const inbox = { mode: 'inbox', post: { title: 'Hello', privacyLevel: 'SELF_ONLY' } } as const;
  const remarks = async (request: unknown) =>
    (await checkRequest(request, deps({ accounts: 'not here' }))).findings.map(({ code, severity, field }) => [
      code,
      severity,
      field,
    ]);

  it('of a draft is told field by field', async () => {
    expect(await remarks({ ...REQUEST, ...inbox })).toEqual([
      ['FIELD_IGNORED', 'warn', 'post.title'],
      ['FIELD_IGNORED', 'warn', 'post.privacyLevel'],
    ]);
  });

  it('F7: of a draft of photos is not its texts', async () => {
    const media = { type: 'photos', urls: ['https://photos.example.com/1.jpg'] };
    expect(await remarks({ ...REQUEST, ...inbox, media })).toEqual([['FIELD_IGNORED', 'warn', 'post.privacyLevel']]);
    const texts = { title: 'Hello', description: 'World', aiGenerated: true };
    // TikTok takes the label of AI-generated content over, too.
    expect(await remarks({ ...REQUEST, mode: 'inbox', post: texts, media })).toEqual([]);
  });

  it('F14: of photos is what TikTok would not take, and what it may not take', async () => {
    const photos = {
      'https://photos.example.com/large.jpg': async () => ({ size: { width: 2_000, height: 2_000 } }),
      'https://photos.example.com/unknown.jpg': async () => ({ size: null }),
      'https://photos.example.com/a.png': async () => {
        throw new PublishError('INPUT_PHOTO_UNSUPPORTED', { reason: 'a PNG' });
      },
      'https://photos.example.com/busy.jpg': async () => {
        throw new PublishError('TRANSPORT_MEDIA_BUSY', { reason: 'HTTP 503' });
      },
    };
    const media = { type: 'photos', urls: Object.keys(photos) };
    const lookAtPhoto: LookAtPhoto = async (photo) =>
      await photos[(photo.type === 'pull' ? photo.url : '') as keyof typeof photos]();
    const report = await checkRequest({ ...REQUEST, media }, deps({ lookAtPhoto, accounts: 'not here' }));
    expect(report).toMatchObject({ ok: false, facts: null, checked: { media: CHECKED } });
    expect(report.findings.map(({ code, severity, field }) => [code, severity, field])).toEqual([
      ['INPUT_MEDIA_PICTURE_SIZE', 'warn', 'media.urls.0'],
      ['INPUT_PHOTO_UNSUPPORTED', 'refuse', 'media.urls.2'],
      ['TRANSPORT_MEDIA_BUSY', 'warn', 'media.urls.3'],
    ]);
    expect(report.findings[0]).toMatchObject({
      limit: 'at most 1080 x 1920 pixels',
      found: '2000 x 2000',
    });
  });

  it('of photos that the service reads is what it fails to read', async () => {
    const media = {
      type: 'photos',
      items: [
        { type: 'file', path: '/photos/missing.jpg' },
        { type: 'file', path: '/photos/busy.jpg' },
      ],
    };
    const lookAtPhoto: LookAtPhoto = async (photo) => {
      const isMissing = photo.type === 'file' && photo.path.includes('missing');
      throw new PublishError(isMissing ? 'INPUT_MEDIA_NOT_FOUND' : 'TRANSPORT_MEDIA_DISK', {});
    };
    const { findings } = await checkRequest({ ...REQUEST, media }, deps({ lookAtPhoto, accounts: 'not here' }));
    expect(findings.map(({ code, severity, field }) => [code, severity, field])).toEqual([
      ['INPUT_MEDIA_NOT_FOUND', 'refuse', 'media.items.0'],
      ['TRANSPORT_MEDIA_DISK', 'warn', 'media.items.1'],
    ]);
  });

  it('F9: of a post that is not public is its cover', async () => {
    const withLevel = (privacyLevel: string) => ({ ...REQUEST, post: { privacyLevel, coverTimestampMs: 1_000 } });
    expect(await remarks(withLevel('PUBLIC_TO_EVERYONE'))).toEqual([]);
    expect(await remarks(withLevel('SELF_ONLY'))).toEqual([['COVER_NOT_SHOWN', 'warn', 'post.coverTimestampMs']]);
    const { findings, ok } = await checkRequest(withLevel('SELF_ONLY'), deps({ accounts: 'not here' }));
    expect([ok, findings[0]?.advice]).toEqual([true, expect.stringContaining('first frame')]);
    expect(await remarks({ ...withLevel('SELF_ONLY'), mode: 'inbox' })).toContainEqual([
      'FIELD_IGNORED',
      'warn',
      'post.coverTimestampMs',
    ]);
  });

  it('of a video is a cover beyond its end', async () => {
    const withCover = (coverTimestampMs: number) => ({
      ...REQUEST,
      post: { privacyLevel: 'PUBLIC_TO_EVERYONE', coverTimestampMs },
    });
    expect(await remarks(withCover(3_999))).toEqual([]);
    expect(await remarks(withCover(4_000))).toEqual([['COVER_BEYOND_END', 'warn', 'post.coverTimestampMs']]);
  });
});
