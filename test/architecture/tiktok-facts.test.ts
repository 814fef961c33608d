import { describe, expect, it } from 'vitest';
import { sourceFiles } from './source-files.ts';

/**
 * What TikTok does and wants beside its reference pages, as its guidelines and integrators tell; the titles of tests name
 * these rows. Numbers that are missing were never given, or asked nothing of a client.
 */
const FACTS = {
  F1: 'direct posts may be as long as the creator may post, drafts 10 minutes',
  F2: 'the offered privacy levels say nothing of an audit',
  F3: 'videos that are on a server should be pulled',
  F4: 'the limits per day count the posts of all apps',
  F5: 'captions may have line breaks',
  F6: 'privacy_level_option_mismatch is never repeated, and counted',
  F7: 'drafts of photos keep their texts and the label of AI-generated content',
  F9: 'the chosen cover is shown on public posts only',
  F10: 'the consent page lets people choose another account',
  F11: 'a fail_reason internal is tried again twice',
  F12: 'a posted draft frees its place in the inbox',
  F14: 'photos are JPEG or WebP of limited size',
  F15: 'unusual shapes of videos are warned of',
  F16: 'upload hosts are below tiktokapis.com',
  F18: 'a sandbox refuses refreshes and public posts',
  F19: 'states and codes of another API end nothing',
  F20: 'the texts of a posting page are exact',
  F21: 'publish_not_cancellable means that it has ended',
  F22: 'a receiver of callbacks has 15 to 30 s, and ends them by 410',
} as const;

/** Codes that no page of TikTok's lists, and that integrators have seen. */
const CODES = [
  ...['video_download_failed', 'photo_download_failed', 'auth_failed', 'unsupported_response_type'],
  ...['picture_size', 'duration', 'file_format', 'frame_rate'],
];

describe('what was learned of TikTok beside its reference', () => {
  const tests = sourceFiles('test').filter(({ path }) => path.endsWith('.test.ts') && !path.startsWith('test/arch'));
  const titles = tests.flatMap(({ code }) =>
    [
      ...code.matchAll(/^\s*(?:it|describe)\b[^'"`]*(['"`])(.*?)\1/gm),
      ...code.matchAll(/^\s*\](?: as const)?\)\((['"`])(.*?)\1/gm),
    ].map(([, , title = '']) => title),
  );
  const named = titles.flatMap(
    (title) =>
      title
        .split(':')[0]
        ?.match(/^F\d+(?: and F\d+)?$/)?.[0]
        .split(' and ') ?? [],
  );

  it.each(Object.entries(FACTS))('%s (%s) is named by a test', (fact) => {
    expect(named).toContain(fact);
  });

  it('is listed here wherever a test names it', () => {
    expect([...new Set(named)].filter((fact) => !(fact in FACTS))).toEqual([]);
  });

  it.each(CODES)('the code %s is sent by a test', (code) => {
    expect(tests.some(({ code: text }) => text.includes(`'${code}'`))).toBe(true);
  });
});
