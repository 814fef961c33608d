import { openApp } from '../../src/app/open-app.ts';
import { openService } from '../../src/app/open-service.ts';
import { openWorkers } from '../../src/app/open-workers.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { DEFAULT_POLL_SCHEDULE } from '../../src/core/poll-schedule.ts';
import type { MeasureStep } from '../../src/observability/metrics.ts';
import { DEFAULT_RECOVERY } from '../../src/workers/runtime/recovery.ts';
import type { WorkerKind } from '../../src/workers/runtime/worker-kinds.ts';
import { cpuMs, peakRssBytes, serveParent, settingsOf } from './parent.ts';

/* A worker of the product as its own program runs it; only the polls come sooner. */

const { environment, pollMs, sweepEveryMs } = settingsOf<{
  environment: Record<string, string>;
  pollMs: readonly number[];
  sweepEveryMs?: number;
}>();

let tellSweep: ((durationMs: number) => void) | undefined;

serveParent({
  cpuMs,
  peakRssBytes,
  /** Waits for the end of the next sweep. @returns how long it took (ms) */
  nextSweepMs: () =>
    new Promise<number>((resolve) => {
      tellSweep = resolve;
    }),
  /** @param only kinds of workers; by default all */
  async start(only?: readonly WorkerKind[]) {
    const service = await openService(await openApp(loadConfig({ PATH: process.env.PATH, ...environment })));
    const [firstMs = 0, secondMs = firstMs] = pollMs;
    const schedule = { firstMs, factor: secondMs / firstMs, maxMs: Math.max(DEFAULT_POLL_SCHEDULE.maxMs, ...pollMs) };
    const measureStep: MeasureStep = async (step, run) => {
      const startedAt = performance.now();
      const result = await service.measureStep(step, run);
      if (step === 'sweep') tellSweep?.(performance.now() - startedAt);
      return result;
    };
    await openWorkers(service, {
      ...{ only, measureStep },
      tokens: { accessToken: () => Promise.resolve('token') },
      random: () => 0,
      settings: {
        recovery: { ...DEFAULT_RECOVERY, ...(sweepEveryMs !== undefined && { sweepEveryMs }) },
        pollSchedule: { ...DEFAULT_POLL_SCHEDULE, ...schedule, minPerOpenJobMs: 0 },
      },
    });
  },
});
