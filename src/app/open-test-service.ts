import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toAccountInput } from '../accounts/account-input.ts';
import { trialSettings } from '../config/given-settings.ts';
import { loadConfig } from '../config/load-config.ts';
import { DEFAULT_POLL_SCHEDULE, type PollSchedule } from '../core/poll-schedule.ts';
import { EIGHT_TRIES_IN_AN_HOUR, type RetryPolicy } from '../core/retry-policy.ts';
import { wakeJobs } from '../limits/wake-jobs.ts';
import type { Publisher } from '../producers/publisher.ts';
import { forgetKeys } from '../redis/forget-keys.ts';
import { openApp } from './open-app.ts';
import { openService } from './open-service.ts';
import { openWorkers } from './open-workers.ts';
import { publisherOn } from './publisher-on.ts';

/** Polls of a few ms, so that tests need not wait. */
const RAPID_POLLS: PollSchedule = { ...DEFAULT_POLL_SCHEDULE, firstMs: 20, maxMs: 100, minPerOpenJobMs: 0 };
/** As many tries as usual, within seconds. */
const RAPID_RETRIES: RetryPolicy = { ...EIGHT_TRIES_IN_AN_HOUR, baseMs: 50, maxMs: 200 };

export interface TestServiceOptions {
  readonly tiktok: Parameters<typeof trialSettings>[0];
  /** Undefined: one of our own, which ends with the service. */
  readonly redisUrl: string | undefined;
}

export interface TestService {
  readonly publisher: Publisher;
  readonly redisUrl: string;
  readonly queuePrefix: string;
  addAccount(name: string, tokens: Parameters<typeof toAccountInput>[1]): Promise<void>;
  /** Forgets how much of TikTok's limits is used up, and lets the jobs go on that waited for them. */
  liftLimits(): Promise<void>;
  close(): Promise<void>;
}

/** Redis, workers and a publisher in this process, for a test. Nothing of the environment counts. @throws RedisUnavailableError */
export async function openTestService({ tiktok, redisUrl }: TestServiceOptions): Promise<TestService> {
  const folder = await mkdtemp(join(tmpdir(), 'tiktok-publisher-test-'));
  const app = await openApp(
    {
      ...loadConfig({
        ...(redisUrl !== undefined && { REDIS_URL: redisUrl }),
        QUEUE_PREFIX: `{tiktok-publisher-test-${randomBytes(8).toString('hex')}}`,
        DATA_DIR: folder,
        LOG_LEVEL: 'silent',
        OUTBOUND_ALLOW_HOSTS: '127.0.0.1,localhost',
        ...trialSettings(tiktok),
      }),
      shutdownTimeoutMs: 0,
    },
    { starter: 'trial' },
  ).catch(async (error: unknown) => {
    await rm(folder, { recursive: true, force: true });
    throw error;
  });
  const close = async () => {
    await app.close();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const service = await openService(app);
    const { redis, vault, lanes } = service;
    const { queuePrefix } = app.config;
    app.onClose(async () => void (await forgetKeys(redis, queuePrefix)));
    await openWorkers(service, { settings: { pollSchedule: RAPID_POLLS, retryPolicy: RAPID_RETRIES } });
    const publisher = publisherOn(app, service);
    const names = new Set<string>();
    return {
      ...{ publisher, queuePrefix, redisUrl: app.target.kind === 'url' ? app.target.url : '', close },
      async addAccount(name, tokens) {
        await vault.add(toAccountInput(name, tokens));
        names.add(name);
      },
      async liftLimits() {
        for (const start of app.keys.usedLimits) await forgetKeys(redis, start);
        for (const name of names)
          await wakeJobs([...(await lanes.admitted(name)), ...(await lanes.leave(name, ''))], service);
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}
