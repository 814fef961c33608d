import { describe, expect, it } from 'vitest';
import { mediaName, timelineWords } from '../../../src/http/job-words.ts';

describe('mediaName', () => {
  it.each([
    [{ type: 'file', path: '/srv/videos/holiday.mp4' }, 'holiday.mp4'],
    [{ type: 'file', path: 'C:\\videos\\holiday.mp4' }, 'holiday.mp4'],
    [{ type: 'pull', url: 'https://cdn.example/clips/spring.mp4?token=x' }, 'spring.mp4'],
    [{ type: 'url', url: 'https://cdn.example/' }, 'cdn.example'],
    [{ type: 's3', bucket: 'b', key: 'clips/summer.mov' }, 'summer.mov'],
    [{ type: 'photos', urls: ['https://a.example/1.jpg', 'https://a.example/2.jpg'] }, '2 photos'],
    [{ type: 'photos', urls: ['https://a.example/1.jpg'] }, '1 photo'],
    [{ type: 'unheard-of' }, ''],
  ])('calls %j "%s"', (media, name) => {
    expect(mediaName(media)).toBe(name);
  });
});

describe('timelineWords', () => {
  it('says what happened and what goes with it in words', () => {
    const entry = { at: '2026-11-22T14:03:07.123Z', event: 'attempt_failed', retryAt: 'soon', attempt: 2 };
    expect(timelineWords(entry)).toEqual({
      time: '2026-11-22 14:03:07.123Z',
      what: 'attempt failed',
      facts: ['retry at: soon', 'attempt: 2'],
    });
  });
});
