import { AsyncLocalStorage } from 'node:async_hooks';
import type { Command } from 'ioredis';
import { SECOND_MS } from '../core/units.ts';
import type { RedisClient } from './lua-script.ts';

/*
 * Node follows who awaits what at a cost of six percent of a worker's CPU, for the whole process and as long as anybody
 * is followed (docs/decisions/redis-cost-per-step.md). So calls are only counted now and then.
 */

/** How long after its first run a sample takes more (ms), and how many in all. */
const OPEN_MS = SECOND_MS;
const MOST_RUNS = 50;
/** What still runs then is left out (ms). */
const LONGEST_MS = 30 * SECOND_MS;
/** How much longer than a sample the pause after it is. */
const PAUSE_FACTOR = 9;

/** What a piece of work asked of Redis. */
export interface RedisUse {
  /** Round trips: a command, a script or a whole pipeline is one. */
  readonly calls: number;
  /** How long at least one answer was awaited. */
  readonly waitMs: number;
}

interface Sample {
  readonly startedAt: number;
  runs: number;
  running: number;
}

/** One for the process, as its cost is. */
const followed = new AsyncLocalStorage<Counter>();
let samplesUnderWay = 0;

/**
 * Counts what runs ask of Redis: about a tenth of the time, and not those that take longer than half a minute. A process
 * needs one.
 * @param now milliseconds of a clock that never goes back
 */
export function createCallSampler(now: () => number = () => performance.now()) {
  let sample: Sample | undefined;
  let pausedUntil = 0;

  function join(): Sample | undefined {
    const at = now();
    if (sample !== undefined && at - sample.startedAt > LONGEST_MS) end(sample);
    if (sample === undefined) {
      if (at < pausedUntil) return undefined;
      sample = { startedAt: at, runs: 0, running: 0 };
      samplesUnderWay += 1;
    }
    if (at - sample.startedAt > OPEN_MS || sample.runs >= MOST_RUNS) return undefined;
    sample.runs += 1;
    sample.running += 1;
    return sample;
  }

  function end({ startedAt }: Sample): void {
    sample = undefined;
    samplesUnderWay -= 1;
    if (samplesUnderWay === 0) followed.disable();
    pausedUntil = now() + PAUSE_FACTOR * (now() - startedAt);
  }

  /** @param report called with what was counted, if this run is in the sample */
  return async <T>(run: () => Promise<T>, report: (use: RedisUse) => void): Promise<T> => {
    const own = join();
    if (own === undefined) return await run();
    const counter = new Counter();
    try {
      return await followed.run(counter, run);
    } finally {
      if (own === sample) {
        report(counter);
        own.running -= 1;
        if (own.running === 0) end(own);
      }
    }
  };
}

/** Has the calls of a client counted. Those of a cluster's client are not counted again at its nodes. */
export function countCalls(client: RedisClient): void {
  const send: (command: Command, stream?: PipelineStream, node?: unknown) => unknown = client.sendCommand.bind(client);
  client.sendCommand = (command: Command, stream?: PipelineStream, node?: unknown) => {
    if (samplesUnderWay > 0) followed.getStore()?.count(command, stream);
    return send(command, stream, node);
  };
}

/** Given with each command of a pipeline, and the same for all of them. */
type PipelineStream = Parameters<RedisClient['sendCommand']>[1];

class Counter implements RedisUse {
  calls = 0;
  waitMs = 0;
  #awaited = 0;
  #since = 0;
  #pipeline: PipelineStream;
  /** A client sends a command again that it could not send at first. */
  readonly #seen = new WeakSet<Command>();

  count(command: Command, pipeline: PipelineStream): void {
    if (this.#seen.has(command)) return;
    this.#seen.add(command);
    if (pipeline === undefined || pipeline !== this.#pipeline) this.calls += 1;
    this.#pipeline = pipeline;
    if (this.#awaited === 0) this.#since = performance.now();
    this.#awaited += 1;
    command.promise.then(this.#answered, this.#answered);
  }

  readonly #answered = (): void => {
    this.#awaited -= 1;
    if (this.#awaited === 0) this.waitMs += performance.now() - this.#since;
  };
}
