import { openServer, publisherOn } from '../../app/open-server.ts';
import { openWorkers } from '../../app/open-workers.ts';
import { DEFAULT_POLL_SCHEDULE, type PollSchedule } from '../../core/poll-schedule.ts';
import { SECOND_MS } from '../../core/units.ts';
import { type CommandContext, commandName } from '../cli-io.ts';
import { type DemoReport, demoReportText, isDemoGood, reportOnDemo } from '../demo-report.ts';
import { DEMO_ACCOUNT, type DemoStage, openDemoStage } from '../demo-stage.ts';
import { killMidway, untilUploading, watchTakeover } from '../demo-takeover.ts';
import { startDemoWorker } from '../demo-worker.ts';
import { EXIT_CODES, type ExitCode } from '../exit-codes.ts';
import { interruptible, untilAborted } from '../interrupt.ts';
import { tellWhile } from '../tell-while.ts';

/** TikTok takes a minute for what the simulator does in a second. */
const POLL_SCHEDULE: PollSchedule = {
  ...DEFAULT_POLL_SCHEDULE,
  firstMs: SECOND_MS / 2,
  maxMs: SECOND_MS,
  minPerOpenJobMs: 0,
};

const QUICK = 'Publishes a video to a simulated TikTok, in about 6 seconds. Nothing leaves this machine.\n';
const WITH_KILL =
  'Publishes a video to a simulated TikTok, and kills the worker in the middle of the upload: another one goes on, and there is one post. Takes about 18 seconds; --quick leaves the kill out. Nothing leaves this machine.\n';

export interface DemoOptions {
  /** Without the worker that is killed. */
  readonly quick?: boolean;
  readonly keepRunning?: boolean;
}

/** `demo`: publishes a real video to a simulated TikTok, and kills a worker in the middle of it. */
export async function demo(
  { quick = false, keepRunning = false }: DemoOptions,
  context: CommandContext,
): Promise<ExitCode> {
  return await interruptible(async (signal) => {
    const closers: (() => Promise<void>)[] = [];
    try {
      const report = await runDemo(context, quick, signal, (close) => closers.push(close));
      context.output.answerProse(report, `\n${demoReportText(report, { withLinks: keepRunning })}`);
      if (keepRunning) {
        context.output.step('\nThe demo keeps running until you press Ctrl-C.');
        await untilAborted(signal);
      } else {
        context.output.step(
          `\nThe demo has ended, and its pages with it. To look at them: \`${demoCommand(context)} --keep-running\`.`,
        );
      }
      return isDemoGood(report) ? EXIT_CODES.success : EXIT_CODES.publishFailed;
    } finally {
      for (const close of closers.reverse()) await close();
    }
  });
}

/** How a person started it. */
function demoCommand({ io }: CommandContext): string {
  // npm names the script that it runs.
  return io.env.npm_lifecycle_event === 'demo' ? 'npm run demo --' : `${commandName(io)} demo`;
}

type OnClose = (close: () => Promise<void>) => void;

async function runDemo(
  context: CommandContext,
  isQuick: boolean,
  signal: AbortSignal,
  onClose: OnClose,
): Promise<DemoReport> {
  const { stderr: stream } = context.io;
  context.output.step(isQuick ? QUICK : WITH_KILL);
  const stage = await openDemoStage(context, onClose);
  const { simulator, service, video, tell, open } = stage;
  const victim = isQuick ? undefined : await startVictim(stage, context, onClose);
  const publisher = publisherOn(service.app, service);
  const startedAt = performance.now();
  const enqueued = await publisher.enqueue({
    account: DEMO_ACCOUNT,
    mode: 'direct',
    media: { type: 'file', path: video.path },
    post: { title: 'Hello from tiktok-publisher', privacyLevel: 'PUBLIC_TO_EVERYONE' },
  });
  tell('job', enqueued.id);
  // The other worker comes when the first one has the job.
  const killing =
    victim &&
    killMidway(
      simulator,
      await tellWhile(stream, 'waiting for the first chunk', untilUploading(simulator, signal)),
      victim,
    );
  killing?.catch(() => undefined);
  const workers = await open('starting workers', openWorkers(service, { settings: { pollSchedule: POLL_SCHEDULE } }));
  tell(isQuick ? 'worker' : 'worker 2', 'in this process');
  const web = await openServer(service, workers);
  tell('board', `${web.url}/board (while the demo runs)\n`);
  const { job, takeover } = await watchTakeover({ publisher, job: enqueued, killing, tell, stream, signal });
  const durationMs = performance.now() - startedAt;
  return reportOnDemo({ job, video, simulator, takeover, webUrl: web.url, durationMs });
}

async function startVictim({ env, tell }: DemoStage, { io }: CommandContext, onClose: OnClose) {
  const worker = await tellWhile(io.stderr, 'starting a worker', startDemoWorker(env));
  onClose(worker.kill);
  tell('worker 1', `process ${worker.pid}`);
  return worker;
}
