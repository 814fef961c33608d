import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { runCli } from '../../../src/cli/run-cli.ts';
import type { FaultAct, FaultRule } from '../../../src/simulator/index.ts';
import { type Pipeline, type PipelineOptions, startTestPipeline } from '../../support/pipeline.ts';
import { testRedisUrl } from '../../support/redis.ts';
import { capturedIo } from '../../unit/cli/captured-io.ts';

const step = z.object({
  step: z.string(),
  level: z.string(),
  message: z.string(),
  code: z.string().optional(),
  fix: z.string().optional(),
  tiktokLogId: z.string().optional(),
});
const live = z.object({
  account: z.string(),
  jobId: z.string().nullable(),
  state: z.string(),
  steps: z.array(step),
  next: z.string(),
});
const document = z.object({ healthy: z.boolean(), live });

function envOf({ prefix, simulator, app }: Pipeline): Record<string, string> {
  return {
    REDIS_URL: testRedisUrl(),
    QUEUE_PREFIX: prefix,
    ENCRYPTION_KEYS: (app.config.encryptionKeys ?? []).map((key) => key.toString('base64')).join(','),
    TIKTOK_API_BASE_URL: simulator.url,
    TIKTOK_CLIENT_KEY: simulator.clientKey,
    TIKTOK_CLIENT_SECRET: simulator.clientSecret,
  };
}

/** Posts without a question, and reads the report. */
async function postLive(pipeline: Pipeline, account = 'acme') {
  const io = capturedIo({ env: envOf(pipeline) });
  const exitCode = await runCli(['doctor', '--live', account, '--yes', '--json'], io);
  const result = document.parse(JSON.parse(io.printed().stdout)).live;
  return { exitCode, ...result, levels: result.steps.map((found) => `${found.step} ${found.level}`) };
}

/** As a person at a terminal who types this. */
async function ask(pipeline: Pipeline, typed: string) {
  const io = capturedIo({ env: envOf(pipeline) });
  const stdin = Object.assign(Readable.from([typed]), { isTTY: true });
  const exitCode = await runCli(['doctor', '--live', 'acme'], { ...io, stdin });
  return { exitCode, ...io.printed() };
}

const start = async (options: PipelineOptions = {}) => await startTestPipeline({ preflight: 'refuse', ...options });

async function startWithFault(endpoint: FaultRule['endpoint'], act: FaultAct) {
  const pipeline = await start();
  pipeline.simulator.faults.add({ endpoint, when: { times: 'always' }, act });
  return pipeline;
}

const refusal = (code: string): FaultAct => ({ kind: 'status', httpStatus: 403, code });
const lastOf = <T>(items: readonly T[]) => items.at(-1);

describe('doctor --live', () => {
  it('posts one video that only its owner sees, and reports each step', async () => {
    const pipeline = await start();
    const report = await postLive(pipeline);
    expect(report).toMatchObject({ exitCode: 0, account: 'acme', state: 'published' });
    expect(report.levels).toEqual(['creator_info ok', 'video advice', 'init ok', 'upload ok', 'outcome ok']);
    expect(lastOf(report.steps)?.message).toContain('PUBLISH_COMPLETE');
    expect(report.next).toMatch(/^To delete the post/);
    expect(pipeline.simulator.journal.publishes()).toMatchObject([{ privacyLevel: 'SELF_ONLY' }]);
    expect(pipeline.simulator.journal.posts()).toHaveLength(1);
  });

  it('asks a person first, and posts only after a yes', async () => {
    const pipeline = await start();
    for (const typed of ['n\n', '\n', '']) {
      const { exitCode, stdout, stderr } = await ask(pipeline, typed);
      expect(exitCode).toBe(0);
      expect(stderr).toContain('posts a video of 1 second to "acme"');
      expect(stdout).toMatch(/Nothing was posted\.\n$/);
    }
    expect(pipeline.simulator.journal.posts()).toEqual([]);
    const { exitCode, stdout, stderr } = await ask(pipeline, 'yes\n');
    expect(exitCode).toBe(0);
    expect(stderr.match(/^Redis: /gm)).toHaveLength(1);
    expect(stdout).toMatch(/^ok +init +accepted, publish_id \S+$/m);
    expect(stdout).toMatch(/^ok +outcome +TikTok reported PUBLISH_COMPLETE: published$/m);
    expect(pipeline.simulator.journal.posts()).toHaveLength(1);
  });

  it('refuses to post without a terminal and --yes, and --yes without --live', async () => {
    for (const [args, named] of [
      [['doctor', '--live', 'acme'], '--live: posts a video, and there is no terminal'],
      [['doctor', '--yes'], '--yes: only used with --live'],
    ] as const) {
      const io = capturedIo();
      expect(await runCli(args, io)).toBe(2);
      expect(io.printed().stderr).toContain(named);
    }
  });

  it('tells a client that is not audited what to do, with the log id', async () => {
    const pipeline = await start({ simulator: { unaudited: true } });
    const report = await postLive(pipeline);
    expect(report).toMatchObject({ exitCode: 1, state: 'failed' });
    expect(report.levels).toEqual(['creator_info ok', 'video advice', 'init problem']);
    expect(lastOf(report.steps)).toMatchObject({
      code: 'TIKTOK_UNAUDITED_CLIENT',
      message: expect.stringContaining('unaudited_client_can_only_post_to_private_accounts'),
      fix: expect.stringContaining('private'),
      tiktokLogId: expect.stringMatching(/^2026/),
    });
    expect(report.next).toContain(`Nothing was posted. To see all of it: tiktok-publisher status ${report.jobId}`);
  });

  it('stops at a revoked token, before anything is posted', async () => {
    const pipeline = await start();
    pipeline.simulator.revokeGrant(pipeline.account.openId);
    const report = await postLive(pipeline);
    expect(report).toMatchObject({ exitCode: 1, jobId: null, state: 'not_posted' });
    expect(report.steps).toMatchObject([{ step: 'creator_info', level: 'problem', code: /^AUTH_/ }]);
  });

  it('refuses an account that is not known', async () => {
    const io = capturedIo({ env: envOf(await start()) });
    expect(await runCli(['doctor', '--live', 'nobody', '--yes'], io)).toBe(2);
    expect(io.printed().stderr).toContain('INPUT_ACCOUNT_UNKNOWN');
  });

  it('tells that TikTok takes no more posts of the creator, before or at the init, and lets no job wait for a day', async () => {
    const code = 'spam_risk_too_many_posts';
    const before = await postLive(await startWithFault('creator_info', refusal(code)));
    expect(before).toMatchObject({ exitCode: 1, jobId: null, steps: [{ code: 'TIKTOK_DAILY_POST_CAP' }] });
    const pipeline = await startWithFault('video_init', refusal(code));
    const report = await postLive(pipeline);
    expect(report).toMatchObject({ exitCode: 1, state: 'cancelled' });
    const waits = report.steps.find(({ step: name }) => name === 'init');
    expect(waits).toMatchObject({ level: 'advice', code: 'TIKTOK_DAILY_POST_CAP', tiktokLogId: expect.any(String) });
    expect(waits?.message).toContain("waiting for the account's daily post limit until");
    expect(lastOf(report.levels)).toBe('outcome problem');
    expect((await pipeline.publisher.get(report.jobId ?? ''))?.state).toBe('cancelled');
  });

  it('says that the other parts work if TikTok finds the video too short', async () => {
    const act: FaultAct = { kind: 'fail_processing', failReason: 'duration_check_failed' };
    const report = await postLive(await startWithFault('video_init', act));
    expect(report.levels).toEqual(['creator_info ok', 'video advice', 'init ok', 'upload ok', 'status problem']);
    expect(lastOf(report.steps)).toMatchObject({ fix: expect.stringContaining('longer one of your own') });
  });

  it('posts nothing where no worker runs, or a check finds a problem', async () => {
    const pipeline = await start({ workers: false });
    const report = await postLive(pipeline);
    expect(report).toMatchObject({ exitCode: 3, state: 'not_posted', steps: [] });
    expect(report.next).toMatch(/No worker of tiktok-publish and tiktok-status is connected\. Start them/);
    const io = capturedIo({ env: { ...envOf(pipeline), REDIS_URL: 'redis://127.0.0.1:9' } });
    expect(await runCli(['doctor', '--live', 'acme', '--yes'], io)).toBe(3);
    expect(io.printed().stdout).toContain('Nothing was posted. Fix the problems first.');
  });
});
