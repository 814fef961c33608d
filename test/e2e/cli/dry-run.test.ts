import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { mediaFixture } from '../../support/media-fixtures.ts';
import { addAccount, answerOf, endCommands, freshEnvironment, runCommand, startTikTok } from './command.ts';

let env: Record<string, string>;

beforeAll(async () => {
  const { simulator, settings } = await startTikTok();
  env = freshEnvironment(settings);
  await addAccount(simulator, 'acme', env);
});

afterAll(endCommands);

const publish = (name: string, ...more: string[]) => [
  'publish',
  mediaFixture(name),
  ...['--account', 'acme', '--privacy', 'SELF_ONLY'],
  ...more,
];
const dryRun = (name: string, ...more: string[]) => answerOf(publish(name, '--dry-run', ...more), env);

describe('publish --dry-run', () => {
  it('says that nothing speaks against a good video, and enqueues nothing', async () => {
    const { exitCode, stdout, stderr } = await runCommand(publish('h264.mp4', '--dry-run'), env);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 0,
      stderr: `Redis: redis://${new URL(env.REDIS_URL ?? '').host} (REDIS_URL)\n`,
    });
    expect(stdout).toBe(
      [
        'No problems found. Nothing was enqueued.',
        'video   MP4, h264, 360 x 640, 30 fps, aac, 4 s, 23.3 kB, index at the end',
        '',
      ].join('\n'),
    );
    const list = await answerOf(['list', '--json'], env);
    expect(JSON.parse(list.stdout)).toMatchObject({ jobs: [] });
  });

  it('lists what a wrong one would be refused for, and ends with 1', async () => {
    const { exitCode, stdout } = await dryRun('side-200.mp4');
    expect(exitCode).toBe(1);
    expect(stdout).toContain('The request would be refused. Nothing was enqueued.');
    expect(stdout).toMatch(
      /^refuse {2}media\.pictureSize: expected 360 to 4096 .+ got 200 x 400 \(INPUT_MEDIA_PICTURE_SIZE\)$/m,
    );
  });

  it('ends with 0 where there are but warnings', async () => {
    const { exitCode, stdout } = await dryRun('second-1.mp4');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('Check the warnings');
    expect(stdout).toMatch(/^warn {4}media\.duration: expected at least 3 seconds, got 1 second \(/m);
  });

  it('prints the report as one JSON document', async () => {
    const { exitCode, stdout } = await dryRun('fps-12.mp4', '--json');
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      findings: [{ code: 'INPUT_MEDIA_FRAME_RATE', severity: 'refuse' }],
      checked: { account: { checked: true }, creator: { checked: true } },
    });
  });

  it('tells what else the real run would: the account, the key and the video that it has', async () => {
    const unknown = await answerOf(
      ['publish', mediaFixture('h264.mp4'), '--account', 'nobody', '--privacy', 'SELF_ONLY', '--dry-run'],
      env,
    );
    expect(unknown).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('INPUT_ACCOUNT_UNKNOWN') });
    const first = await answerOf(publish('h265.mp4', '--idempotency-key', 'k1', '--at', '+2d', '--json'), env);
    const { id, scheduledAt } = z
      .looseObject({ id: z.string(), scheduledAt: z.string() })
      .parse(JSON.parse(first.stdout));
    const again = await dryRun('h265.mp4', '--idempotency-key', 'k1', '--at', scheduledAt);
    expect(again).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(`was used for job ${id}`) });
    const other = await dryRun('h264.mp4', '--idempotency-key', 'k1');
    expect(other).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('IDEMPOTENCY_CONFLICT') });
    expect(await dryRun('h264.mp4', '--at', '2020-01-01T00:00:00Z')).toMatchObject({
      exitCode: 1,
      stdout: expect.stringMatching(/^refuse {2}--at: .+ \(INPUT_SCHEDULED_IN_PAST\)$/m),
    });
  });

  it('names a file that is not there in the report, and a wrong option as wrong use', async () => {
    const missing = await dryRun('nowhere.mp4');
    expect(missing).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('INPUT_MEDIA_NOT_FOUND') });
    expect(await dryRun('h264.mp4', '--watch')).toMatchObject({ exitCode: 2 });
  });
});
