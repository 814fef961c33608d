import { openServer } from '../app/open-server.ts';
import { openWorkers } from '../app/open-workers.ts';
import { publisherOn } from '../app/publisher-on.ts';
import { DEFAULT_POLL_SCHEDULE, type PollSchedule } from '../core/poll-schedule.ts';
import { SECOND_MS } from '../core/units.ts';
import type { CommandContext } from './cli-io.ts';
import { type DemoReport, reportOnDemo } from './demo-report.ts';
import { DEMO_ACCOUNT, type DemoStage, openDemoStage } from './demo-stage.ts';
import { killMidway, untilUploading, watchTakeover } from './demo-takeover.ts';
import { startDemoWorker } from './demo-worker.ts';
import { tellWhile } from './tell-while.ts';

/** TikTok takes a minute for what the simulator does in a second. */
const POLL_SCHEDULE: PollSchedule = {
  ...DEFAULT_POLL_SCHEDULE,
  firstMs: SECOND_MS / 2,
  maxMs: SECOND_MS,
  minPerOpenJobMs: 0,
};

type OnClose = (close: () => Promise<void>) => void;

/**
 * Publishes, and kills a worker unless it is to be quick.
 * @param onClose gets what is to be closed when nobody looks any more, the latest last
 */
export async function runDemo(
  context: CommandContext,
  isQuick: boolean,
  signal: AbortSignal,
  onClose: OnClose,
): Promise<DemoReport> {
  const { stderr: stream } = context.io;
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
