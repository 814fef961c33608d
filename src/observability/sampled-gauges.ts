import { Gauge, type GaugeConfiguration } from 'prom-client';
import { orLate } from '../core/deadline.ts';
import { SECOND_MS } from '../core/units.ts';

/** A client that is cut off from Redis may wait for it; Prometheus gives a scrape up after ten seconds. */
const READ_MS = SECOND_MS;

type Definition = Pick<GaugeConfiguration<string>, 'name' | 'help' | 'labelNames' | 'registers'>;

/** Counts of jobs by state, as BullMQ's `queue.getJobCounts()` gives them. */
export type CountJobs = () => Promise<Readonly<Record<string, number>>>;

/** The queue gauge asks Redis when it is scraped, since a job moves between states without telling us. */
export function registerQueueGauge(definition: Definition): (queue: string, countJobs: CountJobs) => void {
  const watched = new Map<string, CountJobs>();
  const gauge = new Gauge({
    ...definition,
    collect: async () => {
      gauge.reset();
      await Promise.all([...watched].map(([queue, countJobs]) => setCounts(gauge, queue, countJobs)));
    },
  });
  return (queue, countJobs) => void watched.set(queue, countJobs);
}

async function setCounts(gauge: Gauge, queue: string, countJobs: CountJobs): Promise<void> {
  // A scrape must work while Redis is down: that is when the other metrics are needed.
  const counts = (await readInTime(countJobs)) ?? {};
  for (const [state, count] of Object.entries(counts)) gauge.set({ queue, state }, count);
}

/** What is true of the worker of a queue at the moment of the scrape. */
export function registerWorkerGauge(definition: Definition): (queue: string, isTrue: () => boolean) => void {
  const watched = new Map<string, () => boolean>();
  const gauge = new Gauge({
    ...definition,
    collect: () => {
      for (const [queue, isTrue] of watched) gauge.set({ queue }, isTrue() ? 1 : 0);
    },
  });
  return (queue, isTrue) => void watched.set(queue, isTrue);
}

/** A number stored in Redis; if it can't be read, the last one stays. */
export function registerStoredGauge(definition: Definition): (read: () => Promise<number>) => void {
  let read: (() => Promise<number>) | undefined;
  const gauge = new Gauge({
    ...definition,
    collect: async () => {
      const value = read === undefined ? undefined : await readInTime(read);
      if (value !== undefined) gauge.set(value);
    },
  });
  return (next) => {
    read = next;
  };
}

function readInTime<T>(read: () => Promise<T>): Promise<T | undefined> {
  return orLate(
    read().catch(() => undefined),
    { withinMs: READ_MS, late: () => undefined },
  );
}
