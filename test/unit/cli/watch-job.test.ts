import { describe, expect, it } from 'vitest';
import { watchJob } from '../../../src/cli/watch-job.ts';
import { PublishError } from '../../../src/core/publish-error.ts';
import type { PublishJob } from '../../../src/core/publish-job.ts';
import { sampleJob, uploadingJob } from './sample-job.ts';

/** A publisher whose job is, look by look, as scripted; the last answer repeats. */
function scripted(answers: (PublishJob | undefined | Error)[]) {
  let looks = 0;
  return {
    get: async () => {
      const answer = answers[Math.min(looks, answers.length - 1)];
      looks += 1;
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
}

async function statesOf(publisher: ReturnType<typeof scripted>, signal = new AbortController().signal) {
  const states: string[] = [];
  const onOutage = (isAway: boolean) => states.push(isAway ? 'Redis is away' : 'Redis is back');
  for await (const job of watchJob(publisher, 'id', { signal, intervalMs: 1, onOutage })) states.push(job.state);
  return states;
}

describe('watching a job', () => {
  it('yields changes only, and ends with the outcome', async () => {
    const published = sampleJob({ state: 'published' });
    const answers = [sampleJob(), sampleJob(), uploadingJob(0), uploadingJob(1), uploadingJob(1), published, published];
    expect(await statesOf(scripted(answers))).toEqual(['queued', 'uploading', 'uploading', 'published']);
  });

  it('fails for a job that does not exist', async () => {
    await expect(statesOf(scripted([undefined]))).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
  });

  it('sits out an outage of Redis, and tells of its begin and its end', async () => {
    const away = new PublishError('REDIS_UNAVAILABLE');
    expect(await statesOf(scripted([sampleJob(), away, away, sampleJob({ state: 'failed' })]))).toEqual([
      'queued',
      'Redis is away',
      'Redis is back',
      'failed',
    ]);
  });

  it('passes other errors on', async () => {
    await expect(statesOf(scripted([new Error('broken')]))).rejects.toThrow('broken');
  });

  it('stops with the reason of its signal', async () => {
    const controller = new AbortController();
    const states = statesOf(scripted([sampleJob()]), controller.signal);
    controller.abort(new Error('enough'));
    await expect(states).rejects.toThrow('enough');
  });
});
