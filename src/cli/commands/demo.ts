import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openApp } from '../../app/open-app.ts';
import { openServer, publisherOn } from '../../app/open-server.ts';
import { openMeasuredService, type Service } from '../../app/open-service.ts';
import { openWorkers } from '../../app/open-workers.ts';
import { type Environment, settingIn, withSettings } from '../../config/given-settings.ts';
import { loadConfig } from '../../config/load-config.ts';
import { DEFAULT_POLL_SCHEDULE, type PollSchedule } from '../../core/poll-schedule.ts';
import type { PublishJob } from '../../core/publish-job.ts';
import { bytesText } from '../../core/quantity-text.ts';
import { MEGABYTE_BYTES, SECOND_MS } from '../../core/units.ts';
import type { Publisher } from '../../producers/publisher.ts';
import { forgetKeys } from '../../redis/forget-keys.ts';
import { type Simulator, startSimulator } from '../../simulator/index.ts';
import type { CommandContext } from '../cli-io.ts';
import { type DemoReport, demoReportText, isDemoGood, reportOnDemo } from '../demo-report.ts';
import { type DemoVideo, writeDemoVideo } from '../demo-video.ts';
import { EXIT_CODES, type ExitCode } from '../exit-codes.ts';
import { interruptible, untilAborted } from '../interrupt.ts';
import { createProgressDisplay } from '../progress-display.ts';
import { watchJob } from '../watch-job.ts';

const KEY_BYTES = 32;

/** Large enough for several chunks, read slowly enough that one sees them go. */
const VIDEO_BYTES = 48 * MEGABYTE_BYTES;
const READ_BYTES_PER_SECOND = 12 * MEGABYTE_BYTES;
const PROCESSING_MS = 2 * SECOND_MS;
/** TikTok takes a minute for what the simulator does in two seconds. */
const POLL_SCHEDULE: PollSchedule = {
  ...DEFAULT_POLL_SCHEDULE,
  firstMs: SECOND_MS / 2,
  maxMs: SECOND_MS,
  minPerOpenJobMs: 0,
};
const ACCOUNT = 'demo';

/** `demo`: publishes a real video to a simulated TikTok, with everything in this process. */
export async function demo(
  { keepRunning = false }: { readonly keepRunning?: boolean },
  context: CommandContext,
): Promise<ExitCode> {
  return await interruptible(async (signal) => {
    const closers: (() => Promise<void>)[] = [];
    try {
      const report = await runDemo(context, signal, (close) => closers.push(close));
      context.output.answerProse(report, `\n${demoReportText(report)}`);
      if (keepRunning) {
        context.output.step('\nThe demo keeps running until you press Ctrl-C.');
        await untilAborted(signal);
      } else {
        context.output.step(
          '\nThe demo has stopped, so its pages are no longer available. To keep them: `npm run demo -- --keep-running`.',
        );
      }
      return isDemoGood(report) ? EXIT_CODES.success : EXIT_CODES.publishFailed;
    } finally {
      for (const close of closers.reverse()) await close();
    }
  });
}

type OnClose = (close: () => Promise<void>) => void;

async function runDemo(context: CommandContext, signal: AbortSignal, onClose: OnClose): Promise<DemoReport> {
  const { step } = context.output;
  step('Publishes a video to a simulated TikTok. Nothing leaves this machine.\n');
  const folder = await mkdtemp(join(tmpdir(), 'tiktok-publisher-demo-'));
  onClose(() => rm(folder, { recursive: true, force: true }));
  const simulator = await startSimulator({ processingMs: PROCESSING_MS });
  onClose(() => simulator.close());
  slowDown(simulator);
  const app = await openApp(loadConfig(demoEnvironment(context.io.env, simulator, folder)), {
    starter: 'trial',
  });
  onClose(app.close);
  if (app.notice !== undefined) context.output.note(app.notice);
  step(stepText('Redis', REDIS_TEXTS[app.redisKind] ?? 'a real Redis, started for this demo'));
  const service = await openMeasuredService(app);
  // After the workers have stopped: a demo leaves nothing behind in a Redis that outlives it.
  app.onClose(async () => void (await forgetKeys(service.redis, app.config.queuePrefix)));
  step(stepText('TikTok', `simulated at ${simulator.url}`));
  const workers = await openWorkers(service, { settings: { pollSchedule: POLL_SCHEDULE } });
  const web = await openServer(service, workers);
  step(stepText('workers', 'upload and status'));
  step(stepText('web', `${web.url}/board`));
  const video = await writeDemoVideo(folder, VIDEO_BYTES);
  step(stepText('video', `${bytesText(video.sizeBytes)}, H.264 and AAC, 1080x1920, 4 s`));
  await connectAccount(service, simulator);
  step(stepText('account', ACCOUNT));
  const { job, durationMs } = await publishAndWatch(publisherOn(app, service), video, context, signal);
  return reportOnDemo({ job, video, simulator, webUrl: web.url, durationMs });
}

const REDIS_TEXTS: Readonly<Record<string, string>> = {
  external: 'the Redis from the settings',
  shared: 'the Redis already running in DATA_DIR',
  'in-memory': 'an in-memory imitation',
};

function stepText(name: string, text: string): string {
  return `${name.padEnd(10)}${text}`;
}

function slowDown(simulator: Simulator): void {
  simulator.faults.add({
    endpoint: 'upload',
    when: { times: 'always' },
    act: { kind: 'slow_read', bytesPerSecond: READ_BYTES_PER_SECOND },
  });
}

async function connectAccount({ vault }: Service, simulator: Simulator): Promise<void> {
  const { openId, accessToken, refreshToken, expiresIn, refreshExpiresIn, scope } = simulator.addAccount();
  await vault.add({
    ...{ account: ACCOUNT, openId, accessToken, refreshToken, scope },
    expiresInSeconds: expiresIn,
    refreshExpiresInSeconds: refreshExpiresIn,
  });
}

async function publishAndWatch(
  publisher: Publisher,
  video: DemoVideo,
  { io, output }: CommandContext,
  signal: AbortSignal,
): Promise<{ job: PublishJob; durationMs: number }> {
  const startedAt = performance.now();
  const enqueued = await publisher.enqueue({
    account: ACCOUNT,
    mode: 'direct',
    media: { type: 'file', path: video.path },
    post: { title: 'Hello from tiktok-publisher', privacyLevel: 'PUBLIC_TO_EVERYONE' },
  });
  output.step(`${stepText('job', enqueued.id)}\n`);
  const display = createProgressDisplay(io.stderr);
  let job: PublishJob = enqueued;
  try {
    for await (const change of watchJob(publisher, enqueued.id, { signal, intervalMs: SECOND_MS / 10 })) {
      job = change;
      display.show(change);
    }
  } finally {
    display.stop();
  }
  return { job, durationMs: performance.now() - startedAt };
}

/**
 * The environment of a demo: what a person has set stays, but TikTok is the simulator, the queue is a new one, ports
 * are free ones and the data goes into a folder of its own.
 */
function demoEnvironment(env: Environment, simulator: Simulator, folder: string): Environment {
  return withSettings(env, {
    PORT: settingIn(env, 'PORT') ?? '0',
    DATA_DIR: settingIn(env, 'DATA_DIR') ?? folder,
    ENCRYPTION_KEYS: settingIn(env, 'ENCRYPTION_KEYS') ?? randomBytes(KEY_BYTES).toString('base64'),
    LOG_LEVEL: settingIn(env, 'LOG_LEVEL') ?? 'error',
    QUEUE_PREFIX: `{tiktok-publisher-demo-${randomBytes(4).toString('hex')}}`,
    MEDIA_ROOTS: '',
    TIKTOK_API_BASE_URL: simulator.url,
    TIKTOK_CLIENT_KEY: simulator.clientKey,
    TIKTOK_CLIENT_SECRET: simulator.clientSecret,
  });
}
