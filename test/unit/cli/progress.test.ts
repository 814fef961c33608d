import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createProgressDisplay, createSpeedometer, progressLine } from '../../../src/cli/progress-display.ts';
import { capturedStream } from './captured-io.ts';
import { sampleJob, uploadingJob } from './sample-job.ts';

const noSpeed = { bytesPerSecond: undefined };

describe('progress line', () => {
  it('draws accepted bytes solid and bytes only sent shaded', () => {
    const line = progressLine(uploadingJob(12_000_000, 24_000_000), noSpeed, 80);
    expect(line).toBe(`uploading ${'█'.repeat(9)}${'▒'.repeat(9)}${'░'.repeat(18)}  25%  12.0/48.0 MB`);
  });

  it('has room for every number of the largest video in 80 columns', () => {
    const job = uploadingJob(3_999_000_000, 4_000_000_000, 4_000_000_000);
    const line = progressLine(job, { bytesPerSecond: 123_400_000 }, 80);
    expect(line.length).toBeLessThan(80);
    expect(line).toContain('3999.0/4000.0 MB  123.4 MB/s');
    expect(line).toContain('█');
  });

  it.each([20, 30, 40, 60, 80, 200])('stays within %d columns', (columns) => {
    const jobs = [uploadingJob(12_000_000), sampleJob({ waitingFor: 'active_user_cap' })];
    for (const job of jobs) expect(progressLine(job, noSpeed, columns).length).toBeLessThan(columns);
  });

  it('uses words where no bytes move', () => {
    expect(progressLine(sampleJob({ state: 'processing' }), noSpeed, 80)).toMatch(/^processing/);
  });
});

describe('speed', () => {
  it('counts from where the upload was first seen, so that a resumed one is not made faster', () => {
    const speed = createSpeedometer();
    expect(speed(sampleJob(), 0)).toEqual(noSpeed);
    expect(speed(uploadingJob(30_000_000), 1_000)).toEqual(noSpeed);
    expect(speed(uploadingJob(40_000_000), 3_000)).toEqual({ bytesPerSecond: 5_000_000 });
    expect(speed(sampleJob({ state: 'processing' }), 4_000)).toEqual(noSpeed);
  });
});

describe('progress display', () => {
  it('writes plain lines where there is no terminal: at state changes, not at every chunk', () => {
    const { stream, text } = capturedStream();
    const display = createProgressDisplay(stream);
    display.show(sampleJob());
    for (const accepted of [0, 10_000_000, 20_000_000, 30_000_000]) display.show(uploadingJob(accepted));
    display.show(sampleJob({ state: 'processing' }));
    display.stop();
    expect(text().split('\n')).toEqual([
      'queued: starts when a worker is free',
      'uploading: 0.0 of 48.0 MB accepted (0%)',
      'processing: TikTok is processing the post',
      '',
    ]);
  });

  it('says when a job tries again, and after what', () => {
    const { stream, text } = capturedStream();
    const display = createProgressDisplay(stream);
    const at = '2026-11-22T10:00:00.000Z';
    const timeline = [{ at, event: 'attempt_failed', message: 'TikTok did not answer' }];
    display.show(sampleJob({ waitingUntil: at, timeline }));
    display.stop();
    expect(text()).toMatch(/^queued, next attempt at .+ after: TikTok did not answer\n$/);
  });

  it('keeps the log of a long upload short, and shows that it lives', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => void vi.useRealTimers());
    const { stream, text } = capturedStream();
    const display = createProgressDisplay(stream);
    const uploadAt = (seconds: number, percent: number) => {
      vi.advanceTimersByTime(seconds * 1_000);
      display.show(uploadingJob(480_000 * percent));
    };
    uploadAt(0, 0);
    for (let percent = 1; percent <= 30; percent += 1) uploadAt(3, percent);
    for (let percent = 31; percent <= 33; percent += 1) uploadAt(45, percent);
    const percents = [...text().matchAll(/\((\d+)%\)/g)].map(([, percent]) => Number(percent));
    expect(percents).toEqual([0, 10, 20, 30, 32]);
  });

  it('tells again and again where nothing must seem to hang, changed or not, until it stops', () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const { stream, text } = capturedStream();
    const display = createProgressDisplay(stream, { plainEveryMs: 1_000 });
    display.show(uploadingJob(0));
    display.show(uploadingJob(12_000_000));
    vi.advanceTimersByTime(2_000);
    display.show(sampleJob({ state: 'processing' }));
    display.stop();
    vi.advanceTimersByTime(5_000);
    expect([...text().matchAll(/\((\d+)%\)|processing:/g)].map(([, percent]) => percent)).toEqual([
      ...['0', '25', '25', undefined],
    ]);
  });

  it('draws on a terminal, and gives its cursor back', () => {
    const { stream, text } = capturedStream(80);
    const terminal = Object.assign(stream, { cursorTo: () => true, moveCursor: () => true, clearLine: () => true });
    const display = createProgressDisplay(terminal);
    display.show(uploadingJob(12_000_000));
    display.stop();
    display.stop();
    expect(text()).toContain('25%  12.0/48.0 MB');
    expect(text()).toContain('\u001b[?25h');
    expect(text().endsWith('\n')).toBe(true);
  });
});
