import { untilAborted } from '../../core/deadline.ts';
import type { CommandContext } from '../cli-io.ts';
import { demoReportText, isDemoGood } from '../demo-report.ts';
import { EXIT_CODES, type ExitCode } from '../exit-codes.ts';
import { interruptible } from '../interrupt.ts';
import { tellWhileBusy } from '../tell-while.ts';

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
    context.output.step(quick ? QUICK : WITH_KILL);
    try {
      // Late, so that something is said before all of the program is loaded.
      const load = () => import('../demo-run.ts');
      const { runDemo } = await tellWhileBusy(context.io.stderr, 'loading the program', load);
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
  return io.env.npm_lifecycle_event === 'demo' ? 'npm run demo --' : 'tiktok-publisher demo';
}
