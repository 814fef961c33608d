import { describe, expect, it } from 'vitest';
import { type CreatorLimits, checkCreatorRules } from '../../../src/core/creator-rules.ts';
import { PRIVACY_LEVELS } from '../../../src/core/post-limits.ts';

const PUBLIC_CREATOR: CreatorLimits = {
  privacyLevelOptions: ['PUBLIC_TO_EVERYONE', 'MUTUAL_FOLLOW_FRIENDS', 'SELF_ONLY'],
  commentDisabled: false,
  duetDisabled: false,
  stitchDisabled: false,
  maxVideoDurationSeconds: 300,
};

describe('the rules of a creator', () => {
  it.each(PUBLIC_CREATOR.privacyLevelOptions)('let a post of an offered privacy level pass: %s', (level) => {
    const privacyLevel = PRIVACY_LEVELS.find((known) => known === level);
    const findings = checkCreatorRules({ post: { privacyLevel } }, PUBLIC_CREATOR, { durationSeconds: 300 });
    expect(findings).toEqual({ problems: [], notes: [] });
  });

  it('refuse a privacy level that is not offered, and name those that are', () => {
    const { problems } = checkCreatorRules({ post: { privacyLevel: 'FOLLOWER_OF_CREATOR' } }, PUBLIC_CREATOR);
    expect(problems).toEqual([
      {
        code: 'TIKTOK_PRIVACY_MISMATCH',
        field: 'post.privacyLevel',
        reason:
          'expected privacyLevel PUBLIC_TO_EVERYONE or MUTUAL_FOLLOW_FRIENDS or SELF_ONLY (the levels that TikTok currently offers for this account), got FOLLOWER_OF_CREATOR',
      },
    ]);
  });

  it('F2: never take an offer of SELF_ONLY alone for an app that was not audited', () => {
    const limits = { ...PUBLIC_CREATOR, privacyLevelOptions: ['SELF_ONLY'] as const };
    const { problems } = checkCreatorRules({ post: { privacyLevel: 'PUBLIC_TO_EVERYONE' } }, limits);
    expect(problems).toMatchObject([{ code: 'TIKTOK_PRIVACY_MISMATCH' }]);
    expect(problems[0]?.reason).not.toContain('audited');
    expect(checkCreatorRules({ post: { privacyLevel: 'SELF_ONLY' } }, limits).problems).toEqual([]);
  });

  it('leave it to the init when TikTok offers no level at all', () => {
    const limits = { ...PUBLIC_CREATOR, privacyLevelOptions: [] };
    expect(checkCreatorRules({ post: { privacyLevel: 'SELF_ONLY' } }, limits).problems).toEqual([]);
  });

  it('refuse a video longer than the creator may post, if both are known', () => {
    const request = { post: { privacyLevel: 'SELF_ONLY' } } as const;
    const { problems } = checkCreatorRules(request, PUBLIC_CREATOR, { durationSeconds: 301 });
    expect(problems).toMatchObject([{ code: 'TIKTOK_MEDIA_DURATION' }]);
    expect(problems[0]?.reason).toContain('at most 300 seconds');
    expect(checkCreatorRules(request, PUBLIC_CREATOR).problems).toEqual([]);
    const unlimited = { ...PUBLIC_CREATOR, maxVideoDurationSeconds: undefined };
    expect(checkCreatorRules(request, unlimited, { durationSeconds: 9_000 }).problems).toEqual([]);
  });

  it('note what was asked for in so many words and will be switched off, and refuse nothing for it', () => {
    const limits = { ...PUBLIC_CREATOR, commentDisabled: true, duetDisabled: true, stitchDisabled: true };
    const asked = {
      privacyLevel: 'SELF_ONLY',
      disableComment: false,
      disableDuet: false,
      disableStitch: true,
    } as const;
    expect(checkCreatorRules({ post: asked }, limits)).toEqual({
      problems: [],
      notes: [
        { field: 'post.disableComment', reason: 'the request allows comments, but this creator has disabled them' },
        { field: 'post.disableDuet', reason: 'the request allows duets, but this creator has disabled them' },
      ],
    });
    expect(checkCreatorRules({ post: { privacyLevel: 'SELF_ONLY' } }, limits).notes).toEqual([]);
  });
});
