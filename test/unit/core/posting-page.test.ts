import { describe, expect, it } from 'vitest';
import type { CreatorInfo } from '../../../src/core/creator-rules.ts';
import { toPostingPage } from '../../../src/core/posting-page.ts';

const CREATOR: CreatorInfo = {
  username: 'acme',
  nickname: 'Acme',
  avatarUrl: undefined,
  privacyLevelOptions: ['FOLLOWER_OF_CREATOR', 'MUTUAL_FOLLOW_FRIENDS', 'SELF_ONLY'],
  commentDisabled: true,
  duetDisabled: false,
  stitchDisabled: false,
  maxVideoDurationSeconds: 3_600,
};

describe('F20: a posting page', () => {
  it('offers branded content to the public and to friends only, of what TikTok offers', () => {
    expect(toPostingPage(CREATOR).brandedPrivacyLevelOptions).toEqual(['MUTUAL_FOLLOW_FRIENDS']);
    const privacyLevelOptions = ['PUBLIC_TO_EVERYONE', 'MUTUAL_FOLLOW_FRIENDS', 'SELF_ONLY'] as const;
    expect(toPostingPage({ ...CREATOR, privacyLevelOptions }).brandedPrivacyLevelOptions).toEqual([
      'PUBLIC_TO_EVERYONE',
      'MUTUAL_FOLLOW_FRIENDS',
    ]);
  });

  it('has no duet and stitch for photos, whatever the creator allows', () => {
    expect(toPostingPage(CREATOR).photos).toEqual({ commentDisabled: true, duetDisabled: true, stitchDisabled: true });
  });

  it('keeps what TikTok said of the creator', () => {
    expect(toPostingPage(CREATOR)).toMatchObject(CREATOR);
  });
});
