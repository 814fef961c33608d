import { createInterface } from 'node:readline';
import { z } from 'zod';
import { openService } from '../../src/app/open-service.ts';
import { runWorkers } from '../../src/app/open-workers.ts';
import { workerParts } from '../../src/app/worker-parts.ts';
import { DEFAULT_POLL_SCHEDULE } from '../../src/core/poll-schedule.ts';
import type { RedisRole } from '../../src/redis/connections.ts';
import { createTikTokClient } from '../../src/tiktok/index.ts';
import { openChaosApp } from './chaos-app.ts';
import { REDIS_AWAY_EXIT_CODE, SETTINGS_VARIABLE, workerSettingsSchema } from './process-settings.ts';
import { trapBullScripts, withTraps } from './trapped-deps.ts';
import { Traps, tell, trapSchema } from './traps.ts';

/*
 * A worker as in production, with rapid schedules, whose ports are wrapped so that it can be killed at any step.
 * Takes other traps as JSON lines on stdin and ends when stdin does, so that no test leaves it behind.
 */

const settings = workerSettingsSchema.parse(JSON.parse(process.env[SETTINGS_VARIABLE] ?? ''));
const { simulator } = settings;
/** The steady one leaves a busy machine its time, and polls less often than TikTok allows. */
const PACES = {
  rapid: { timeouts: { connectMs: 1_000, answerMs: 1_500, stallMs: 4_000 }, pollMaxMs: 1_000 },
  steady: { timeouts: { connectMs: 4_000, answerMs: 4_000, stallMs: 8_000 }, pollMaxMs: 2_500 },
} as const;
const pace = PACES[settings.pace ?? 'rapid'];
const traps = new Traps();
const app = await openChaosApp(settings);
const { log } = app;
const tiktok = createTikTokClient({
  apiBaseUrl: simulator.url,
  timeouts: pace.timeouts,
});
const workers = await startOrLeave();

/** A worker that is started while Redis is away ends, and its supervisor starts another one. */
async function startOrLeave() {
  try {
    const service = await openService({ ...app, connect: connectTrapped }, { tiktok });
    const deps = withTraps(
      workerParts(service, {
        settings: {
          pollSchedule: {
            ...{ ...DEFAULT_POLL_SCHEDULE, firstMs: 100, maxMs: pace.pollMaxMs, minPerOpenJobMs: 0 },
            ...{ giveUpAfterMs: settings.outcomeWithinMs ?? DEFAULT_POLL_SCHEDULE.giveUpAfterMs },
            withWebhooks: { firstMs: 500, factor: 2, maxMs: 4_000, slowMs: 4_000 },
          },
          retryPolicy: { maxAttempts: 8, baseMs: 100, factor: 1.5, maxMs: 1_000 },
          recovery: settings.recovery,
        },
      }),
      traps,
    );
    const running = await runWorkers(service, deps, { only: ['upload', 'status'] });
    traps.arm(settings.traps);
    return running;
  } catch (error) {
    log.error({ err: error }, 'not started');
    process.exit(REDIS_AWAY_EXIT_CODE);
  }
}

async function connectTrapped(role: RedisRole) {
  const client = await app.connect(role);
  if (role === 'worker') trapBullScripts(client, traps);
  return client;
}

process.on('SIGTERM', () => {
  void workers.close({ timeoutMs: settings.shutdownTimeoutMs }).then(() => process.exit(0));
});
const commands = createInterface({ input: process.stdin });
commands.on('line', (line) => traps.arm(z.array(trapSchema).parse(JSON.parse(line))));
commands.on('close', () => process.exit(70));
tell({ kind: 'ready' });
