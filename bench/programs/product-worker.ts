import { openApp } from '../../src/app/open-app.ts';
import { openService } from '../../src/app/open-service.ts';
import { openWorkers } from '../../src/app/open-workers.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { DEFAULT_POLL_SCHEDULE } from '../../src/core/poll-schedule.ts';
import { cpuMs, peakRssBytes, serveParent, settingsOf } from './parent.ts';

/* A worker of the product as its own program runs it; only the polls come sooner. */

const { environment, pollMs } = settingsOf<{ environment: Record<string, string>; pollMs: readonly number[] }>();

serveParent({
  cpuMs,
  peakRssBytes,
  async start() {
    const service = await openService(await openApp(loadConfig({ PATH: process.env.PATH, ...environment })));
    const [firstMs = 0, secondMs = firstMs] = pollMs;
    const schedule = { firstMs, factor: secondMs / firstMs, maxMs: Math.max(DEFAULT_POLL_SCHEDULE.maxMs, ...pollMs) };
    await openWorkers(service, {
      tokens: { accessToken: () => Promise.resolve('token') },
      random: () => 0,
      settings: {
        pollSchedule: { ...DEFAULT_POLL_SCHEDULE, ...schedule, minPerOpenJobMs: 0 },
      },
    });
  },
});
