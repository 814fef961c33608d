import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createOutput } from '../../../src/cli/cli-io.ts';
import { createProgressDisplay } from '../../../src/cli/progress-display.ts';
import { runCli } from '../../../src/cli/run-cli.ts';
import { readableLines } from '../../../src/observability/readable-lines.ts';
import { type Pipeline, startTestPipeline } from '../../support/pipeline.ts';
import { testRedisUrl } from '../../support/redis.ts';
import { makeVideo } from '../../support/videos.ts';
import { capturedIo } from '../../unit/cli/captured-io.ts';

/** Clears the screen, rings, sets a title, turns text around, and begins a line of its own. */
const HOSTILE = 'x\u001b[2J\u0007\u009b31m\u001b]0;owned\u0007\u202egnp.exe\u2066\u2028y\r\nok everything is fine';
/** Everything that a terminal obeys, but line breaks. */
const OBEYED = /(?!\n)[\p{Cc}\u200e\u200f\u061c\u2028-\u202e\u2066-\u2069]/u;

/** Runs a command on the pipeline's Redis, as one of its user's. */
async function run({ prefix }: Pipeline, ...args: string[]) {
  const env = {
    ...{ REDIS_URL: testRedisUrl(), QUEUE_PREFIX: prefix, LOG_LEVEL: 'silent' },
    ENCRYPTION_KEYS: randomBytes(32).toString('base64'),
  };
  const io = capturedIo({ env });
  await runCli(args, io);
  return io.printed();
}

describe('what others wrote', () => {
  it('is shown by every command and obeyed by none, and JSON keeps it exactly', async () => {
    const pipeline = await startTestPipeline({ retries: { maxAttempts: 1, baseMs: 1, factor: 1, maxMs: 1 } });
    const { publisher, simulator, folder, queues } = pipeline;
    const error = { code: `spam_${HOSTILE}`, message: HOSTILE, log_id: HOSTILE };
    const body = JSON.stringify({ data: {}, error });
    simulator.faults.add({ endpoint: 'video_init', when: { times: 1 }, act: { kind: 'raw', httpStatus: 400, body } });
    const request = {
      account: 'acme',
      mode: 'direct',
      metadata: { note: HOSTILE },
      media: { type: 'file', path: await makeVideo(folder, 1_000) },
      post: { title: HOSTILE, privacyLevel: 'SELF_ONLY' },
    } as const;
    const { id } = await publisher.enqueue(request, { idempotencyKey: `key ${HOSTILE}` });
    expect(await publisher.waitForCompletion(id)).toMatchObject({ state: 'failed' });
    await queues.publish.add('publish', { version: HOSTILE }, { jobId: 'strange' });

    const commands = [
      ...[
        ['status', id],
        ['list'],
        ['watch', id],
        ['cancel', id],
        ['retry', id, '--force'],
        ['update', id, '--title', HOSTILE],
      ],
      ...[['status', HOSTILE], ['accounts', 'pause', HOSTILE], ['accounts', 'list'], ['callbacks', 'list'], ['doctor']],
      ...[['publish', HOSTILE, '--account', HOSTILE], [HOSTILE], ['list', '--state', HOSTILE]],
    ];
    for (const args of commands) {
      const { stdout, stderr } = await run(pipeline, ...args);
      expect(stdout + stderr, args.join(' ')).not.toMatch(OBEYED);
      expect(stdout + stderr, args.join(' ')).not.toMatch(/^ok everything is fine/m);
    }
    const { stdout } = await run(pipeline, 'status', id, '--json');
    expect(stdout).not.toMatch(OBEYED);
    expect(JSON.parse(stdout)).toMatchObject({ request: { post: { title: HOSTILE } }, metadata: { note: HOSTILE } });
  });

  it('is shown by each way to print, and by the log for people', () => {
    const io = capturedIo({});
    const output = createOutput(io, false, new Set());
    output.answer({}, HOSTILE);
    output.answerProse({}, HOSTILE);
    output.note(HOSTILE);
    output.fail(`error: ${HOSTILE}`);
    output.step(HOSTILE);
    const log = readableLines({ write: (text) => io.stderr.write(text) });
    log.write(
      `${JSON.stringify({ level: 40, time: 0, msg: HOSTILE, reason: HOSTILE, err: { type: 'Error', message: HOSTILE, stack: HOSTILE } })}\n`,
    );
    log.write(HOSTILE);
    const { stdout, stderr } = io.printed();
    expect(stdout + stderr).not.toMatch(OBEYED);
    expect(stdout).toContain('x\\x1b[2J\\x07\\x9b31m\\x1b]0;owned\\x07\\u202egnp.exe\\u2066\\u2028y\\x0d\nok');
  });

  it('is one line of the progress', async () => {
    const { publisher, folder } = await startTestPipeline({ workers: false });
    const media = { type: 'file', path: await makeVideo(folder, 1_000) } as const;
    const job = await publisher.enqueue({ account: 'acme', mode: 'inbox', media });
    const failure = { code: 'TIKTOK_UNKNOWN_ERROR', message: HOSTILE, advice: '', retryable: false } as const;
    const io = capturedIo({});
    createProgressDisplay(io.stdout).show({ ...job, state: 'failed', failure });
    expect(io.printed().stdout).not.toMatch(OBEYED);
    expect(io.printed().stdout.split('\n')).toHaveLength(2);
  });
});
