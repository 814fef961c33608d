import { setTimeout as sleep } from 'node:timers/promises';
import { DAY_MS, MINUTE_MS } from '../../src/core/units.ts';
import type { Benchmark, Row } from '../measure.ts';
import { openProduct } from '../product.ts';
import { timeOf } from './burden.ts';

/* 200,000 events in a minute, all of them sent by one web server to each of 100 streams. */

const EVENTS = 200_000;
const WATCHERS = 100;
const SPAN_MS = MINUTE_MS;
/** Events that happen at once. */
const BURST = 100;
const GIVE_UP_MS = 60_000;

interface Report {
  readonly events: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export const watchedBenchmark: Benchmark = {
  name: 'watched',
  async run({ scale, note }) {
    const product = await openProduct({ pollMs: [1_000], pollsUntilDone: 1 });
    try {
      const { redis, publisher, request } = product;
      const [events, streams] = [
        Math.ceil((EVENTS * scale) / BURST) * BURST,
        Math.ceil(WATCHERS * Math.min(1, scale * 10)),
      ];
      const server = await product.startServer();
      const watcher = await product.startWatcher();
      await watcher.ask('follow', { url: await server.ask<string>('serve'), streams });
      const scheduledAt = new Date(Date.now() + DAY_MS).toISOString();
      const [before, cpuBefore, startedAt] = [await redis.use(), await server.ask<number>('cpuMs'), performance.now()];
      for (let first = 0; first < events; first += BURST) {
        await sleep(startedAt + (first / events) * SPAN_MS * Math.min(1, scale * 10) - performance.now());
        const requests = Array.from({ length: BURST }, (_, n) => ({ ...request(`creator-${first + n}`), scheduledAt }));
        await publisher.enqueueBulk(requests);
      }
      const happenedMs = performance.now() - startedAt;
      let report = await watcher.ask<Report>('followed');
      const drainMs = await timeOf(async () => {
        for (const givenUpAt = Date.now() + GIVE_UP_MS; Date.now() < givenUpAt; await sleep(200)) {
          report = await watcher.ask<Report>('followed');
          if (report.events === events * streams) break;
        }
      });
      const [after, cpuAfter] = [await redis.use(), await server.ask<number>('cpuMs')];
      note(
        `${events} events in ${(happenedMs / 1_000).toFixed(1)} s; the last reached the watchers ${drainMs.toFixed()} ms later`,
      );
      const row = (id: string, what: string, unit: string, value: number): Row => ({
        ...{ id: `big.watched.${id}`, what: `${what}, ${streams} streams`, unit, product: [value] },
      });
      return [
        row('rate', 'events', '/s', (events / happenedMs) * 1_000),
        row('arrived', 'events that arrived', '% of all', (report.events / (events * streams)) * 100),
        row('sent', 'events sent by one web server', '/s', (report.events / (happenedMs + drainMs)) * 1_000),
        row('p50', 'from an event to its arrival, p50', 'ms', report.p50Ms),
        row('p99', 'from an event to its arrival, p99', 'ms', report.p99Ms),
        row(
          'serverCpu',
          'CPU of the web server per event sent',
          'µs',
          ((cpuAfter - cpuBefore) / report.events) * 1_000,
        ),
        row(
          'commands',
          'Redis commands per event, enqueueing included',
          'commands',
          (after.commands - before.commands) / events,
        ),
      ];
    } finally {
      await product.close();
    }
  },
};
