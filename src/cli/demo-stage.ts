import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toAccountInput } from '../accounts/account-input.ts';
import { type App, closeInTime, openApp } from '../app/open-app.ts';
import { openMeasuredService, type Service } from '../app/open-service.ts';
import { type Environment, settingIn, trialSettings, withSettings } from '../config/given-settings.ts';
import { loadConfig } from '../config/load-config.ts';
import { orLate } from '../core/deadline.ts';
import { bytesText } from '../core/quantity-text.ts';
import { MEGABYTE_BYTES, SECOND_MS } from '../core/units.ts';
import { forgetKeys } from '../redis/forget-keys.ts';
import { HOW_TO_GET_REDIS, RedisUnavailableError } from '../redis/redis-unavailable.ts';
import { type Simulator, startSimulator } from '../simulator/index.ts';
import type { CommandContext } from './cli-io.ts';
import { type DemoVideo, writeDemoVideo } from './demo-video.ts';
import { tellWhile } from './tell-while.ts';

const LABEL_WIDTH = 10;
/** Large enough for several chunks, read slowly enough that one sees them go. */
const VIDEO_BYTES = 48 * MEGABYTE_BYTES;
const READ_BYTES_PER_SECOND = 16 * MEGABYTE_BYTES;
const PROCESSING_MS = SECOND_MS;
/** Everything that is opened answers within a second or two; a slow machine takes several times as long. */
const OPEN_TIMEOUT_MS = 20 * SECOND_MS;
const DRAIN_MS = 5 * SECOND_MS;
/** The account that the demo publishes to. */
export const DEMO_ACCOUNT = 'demo';

const REDIS_TEXTS: Readonly<Record<string, string>> = {
  external: 'the Redis from the settings',
  shared: 'the Redis already running in DATA_DIR',
  'in-memory': 'an in-memory imitation',
};

/** What a demo needs before anything is published. */
export interface DemoStage {
  readonly simulator: Simulator;
  readonly service: Service;
  readonly video: DemoVideo;
  /** The settings for another process on the same Redis. */
  readonly env: Environment;
  /** One line of the report. */
  tell(name: string, text: string): void;
  /** Opens a part of the program. @throws RedisUnavailableError when Redis does not answer in time */
  open<T>(text: string, part: Promise<T>): Promise<T>;
}

/**
 * Opens a simulated TikTok, a Redis, a video and an account, and says so.
 * @param onClose gets what is to be closed afterwards, the latest first
 * @throws RedisUnavailableError, ConfigError
 */
export async function openDemoStage(
  { io, output }: CommandContext,
  onClose: (close: () => Promise<void>) => void,
): Promise<DemoStage> {
  const tell = (name: string, text: string): void => output.step(`${name.padEnd(LABEL_WIDTH)}${text}`);
  const folder = await mkdtemp(join(tmpdir(), 'tiktok-publisher-demo-'));
  // A Redis that was told to end may write there for some moments yet.
  onClose(() => rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }));
  const simulator = await startSimulator({ processingMs: PROCESSING_MS });
  onClose(() => simulator.close());
  slowDown(simulator);
  tell('TikTok', `simulated at ${simulator.url}`);
  const env = demoEnvironment(io.env, simulator, folder);
  const opening = openApp(loadConfig(env), { starter: 'trial' });
  const app = await tellWhile(io.stderr, 'looking for a Redis, or downloading one', opening);
  onClose(() => closeInTime(app, DRAIN_MS));
  app.logConsole();
  if (app.notice !== undefined) output.note(app.notice);
  tell('Redis', REDIS_TEXTS[app.redisKind] ?? 'a real one, started for this demo');
  const open = <T>(text: string, part: Promise<T>): Promise<T> => tellWhile(io.stderr, text, orNoAnswer(part));
  const service = await open('opening the queues', openMeasuredService(app));
  // After the workers have stopped: a demo leaves nothing behind in a Redis that outlives it.
  app.onClose(async () => void (await forgetKeys(service.redis, app.config.queuePrefix)));
  const video = await writeDemoVideo(folder, VIDEO_BYTES);
  tell('video', `${bytesText(video.sizeBytes)}, H.264 and AAC, 1080x1920, 4 s`);
  await open('connecting an account', service.vault.add(toAccountInput(DEMO_ACCOUNT, simulator.addAccount())));
  tell('account', DEMO_ACCOUNT);
  return { simulator, service, video, env: onSameRedis(env, app), tell, open };
}

/** A Redis that takes connections may still run no scripts: then everything would wait for it for ever. */
function orNoAnswer<T>(part: Promise<T>): Promise<T> {
  return orLate(part, {
    withinMs: OPEN_TIMEOUT_MS,
    late: () => {
      const reason = `Redis accepted a connection, but ran no script within ${OPEN_TIMEOUT_MS / SECOND_MS} s`;
      throw new RedisUnavailableError('timeout', reason, { advice: `Use another Redis. ${HOW_TO_GET_REDIS}` });
    },
  });
}

function slowDown(simulator: Simulator): void {
  simulator.faults.add({
    endpoint: 'upload',
    when: { times: 'always' },
    act: { kind: 'slow_read', bytesPerSecond: READ_BYTES_PER_SECOND },
  });
}

/**
 * The environment of a demo: what a person has set stays, but TikTok is the simulator, the queue is a new one, the data
 * goes into a folder of its own, and the web server is one beside theirs, open to this machine.
 */
function demoEnvironment(env: Environment, simulator: Simulator, folder: string): Environment {
  return withSettings(env, {
    ...{ HOST: '', PORT: '0', METRICS_PORT: '', PUBLIC_BASE_URL: '', BASE_PATH: '' },
    ...{ API_KEYS: '', BOARD_USER: '', BOARD_PASSWORD: '', BOARD_READONLY_USER: '', BOARD_READONLY_PASSWORD: '' },
    DATA_DIR: settingIn(env, 'DATA_DIR') ?? folder,
    LOG_LEVEL: settingIn(env, 'LOG_LEVEL') ?? 'error',
    QUEUE_PREFIX: `{tiktok-publisher-demo-${randomBytes(4).toString('hex')}}`,
    ...trialSettings(simulator),
  });
}

function onSameRedis(env: Environment, { target, redisKind }: App): Environment {
  return redisKind === 'external' || target.kind !== 'url' ? env : withSettings(env, { REDIS_URL: target.url });
}
