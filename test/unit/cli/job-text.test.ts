import { describe, expect, it } from 'vitest';
import { jobTable, jobText } from '../../../src/cli/job-text.ts';
import { headline, percentText } from '../../../src/core/headline.ts';
import { ALL_PUBLISH_STATES, WAIT_REASONS } from '../../../src/core/publish-state.ts';
import { sampleJob, uploadingJob } from './sample-job.ts';

describe('text of a job', () => {
  it('has a headline for every state, none like another', () => {
    const lines = ALL_PUBLISH_STATES.map((state) => headline(sampleJob({ state })));
    expect(new Set(lines).size).toBe(ALL_PUBLISH_STATES.length);
  });

  it('says for every reason what a queued job waits for, and when it looks again', () => {
    const lines = WAIT_REASONS.map((waitingFor) => headline(sampleJob({ waitingFor })));
    expect(new Set(lines).size).toBe(WAIT_REASONS.length);
    const waitingUntil = '2026-11-23T00:00:00.000Z';
    expect(headline(sampleJob({ waitingFor: 'daily_cap', waitingUntil }))).toBe(
      "queued: waiting for the account's daily post limit; looks again at 2026-11-23 00:00:00Z",
    );
    for (const waitingFor of WAIT_REASONS) {
      expect(headline(sampleJob({ waitingFor, waitingUntil }))).not.toContain('until');
    }
  });

  it('says what an upload or a status waits for', () => {
    const waits = { waitingFor: 'replication', waitingUntil: '2026-11-23T00:00:00.000Z' } as const;
    expect(headline({ ...uploadingJob(24_000_000), ...waits })).toMatch(
      /accepted \(50%\), waiting for the Redis replicas.*; looks again at 2026-11-23 00:00:00Z$/,
    );
    const processing = headline(sampleJob({ state: 'processing', waitingFor: 'rate_limit' }));
    expect(processing).toMatch(/; status check waiting for TikTok's rate limit$/);
  });

  it('counts no bytes of what TikTok downloads itself', () => {
    expect(headline(sampleJob({ state: 'uploading' }))).toBe('uploading: starting');
  });

  it('rounds the accepted part down, so that 100% means all', () => {
    expect(percentText(uploadingJob(47_999_999))).toBe('99%');
    expect(percentText(uploadingJob(48_000_000))).toBe('100%');
    expect(percentText(sampleJob())).toBe('0%');
  });

  it('shows post ids digit by digit', () => {
    expect(headline(sampleJob({ state: 'published', postIds: ['7512345678901234567'] }))).toBe(
      'published as post 7512345678901234567',
    );
  });

  it('says of a failure what it was, how to fix it and what TikTok called it', () => {
    const failure = {
      code: 'TIKTOK_MEDIA_FRAME_RATE' as const,
      message: 'the frame rate is not accepted',
      advice: 'Encode it at 23 to 60 frames a second.',
      retryable: false,
      tiktokCode: 'frame_rate_check_failed',
      tiktokLogId: '2026112210',
    };
    const text = jobText(sampleJob({ state: 'failed', failure }));
    expect(text).toContain('failed: the frame rate is not accepted');
    expect(text).toContain('Encode it at 23 to 60 frames a second.');
    expect(text).toContain('TIKTOK_MEDIA_FRAME_RATE, frame_rate_check_failed');
    expect(text).toContain('2026112210');
  });

  it('says which post it is', () => {
    const text = jobText(sampleJob({ idempotencyKey: 'order-1234' }));
    expect(text).toMatch(/^title +Hello from our kitchen$/m);
    expect(text).toMatch(/^media +\/srv\/media\/spring\.mp4$/m);
    expect(text).toMatch(/^privacy +SELF_ONLY$/m);
    expect(text).toMatch(/^key +order-1234$/m);
  });

  it('lists the timeline with its facts', () => {
    const timeline = [
      { at: '2026-11-22T10:00:00.000Z', event: 'queued' },
      { at: '2026-11-22T10:00:01.000Z', event: 'init_sent', source: 'pull' },
    ];
    const lines = jobText(sampleJob({ timeline })).split('\n').slice(-2);
    expect(lines).toEqual(['  2026-11-22 10:00:00Z  queued', '  2026-11-22 10:00:01Z  init_sent source=pull']);
  });
});

describe('table of jobs', () => {
  it('fits 80 columns and tells states, progress and reasons apart', () => {
    const now = Date.parse('2026-11-22T10:05:00.000Z');
    const jobs = [
      uploadingJob(20_000_000),
      sampleJob({ waitingFor: 'daily_cap' }),
      sampleJob({ state: 'unconfirmed', account: 'another-account' }),
    ];
    const lines = jobTable(jobs, now, 80).split('\n');
    expect(lines).toHaveLength(7);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
    expect(lines[2]).toBe('  Hello from our kitchen · spring.mp4 · SELF_ONLY');
    expect(lines[1]).toContain('uploading 41%');
    expect(lines[1]).toMatch(/5 min$/);
    expect(lines[3]).toContain('queued (daily_cap)');
    const waiting = jobTable([{ ...uploadingJob(20_000_000), waitingFor: 'replication' }], now, 80).split('\n')[1];
    expect(waiting).toContain('uploading (replication)');
    expect(waiting?.length).toBeLessThanOrEqual(80);
  });

  it('says so when there are none', () => {
    expect(jobTable([], 0)).toBe('No jobs.');
  });

  it('has the post in a column of its own where there is room, and in files', () => {
    const now = Date.parse('2026-11-22T10:05:00.000Z');
    for (const columns of [undefined, 120]) {
      const lines = jobTable([sampleJob()], now, columns).split('\n');
      expect(lines).toHaveLength(2);
      expect(lines[0]).toMatch(/AGE +POST$/);
      expect(lines[1]).toMatch(/ {2}Hello from our kitchen · spring\.mp4 · SELF_ONLY$/);
    }
  });

  it('takes two lines for each job where the terminal is too narrow for it', () => {
    const job = sampleJob({ state: 'queued', waitingFor: 'account_paused' });
    const now = Date.parse(job.createdAt) + 60_000;
    const wide = jobTable([job], now);
    expect(jobTable([job], now, 200)).toBe(wide);
    expect(jobTable([job], now, 40).split('\n')).toEqual([
      job.id,
      `  queued (account_paused)  ${job.account}  1 min`,
      '  Hello from o… · spring.mp4 · SELF_ONLY',
    ]);
  });
});
