import { orAbort } from '../core/deadline.ts';
import type { PublishJob } from '../core/publish-job.ts';
import { bytesText, durationText } from '../core/quantity-text.ts';
import { MEGABYTE_BYTES, MINUTE_MS, SECOND_MS } from '../core/units.ts';
import type { Publisher } from '../producers/publisher.ts';
import type { Simulator } from '../simulator/index.ts';
import type { OutputStream } from './cli-io.ts';
import type { DemoWorker } from './demo-worker.ts';
import { createProgressDisplay } from './progress-display.ts';
import { tellWhile } from './tell-while.ts';
import { watchJob } from './watch-job.ts';

/** Within a chunk, so that a part of one was sent for nothing. */
const KILL_AT_BYTES = 22 * MEGABYTE_BYTES;
const LOOK_EVERY_MS = SECOND_MS / 10;

/** How one worker went on where another one had died. */
export interface Takeover {
  /** What TikTok had received when the first was killed, a part of a chunk included. */
  readonly killedAtBytes: number;
  /** What TikTok had accepted: there the second went on. */
  readonly resumedAtByte: number;
  /** From the death of the first until the second had the job. */
  readonly afterMs: number;
}

/** Waits until a worker sends a video. @returns TikTok's id of the publish */
export async function untilUploading({ journal }: Simulator, signal: AbortSignal): Promise<string> {
  const chunk = journal.waitFor((entry) => entry.chunk?.accepted === true, { timeoutMs: MINUTE_MS });
  return (await orAbort(chunk, signal)).publishId ?? '';
}

/** Kills a worker in the middle of its upload. @returns how many bytes TikTok had received */
export async function killMidway({ journal }: Simulator, publishId: string, worker: DemoWorker): Promise<number> {
  await journal.waitForReceived(publishId, KILL_AT_BYTES, { timeoutMs: MINUTE_MS });
  await worker.kill();
  return journal.publishes().find((publish) => publish.publishId === publishId)?.receivedBytes ?? 0;
}

interface WatchTakeoverOptions {
  readonly publisher: Publisher;
  readonly job: PublishJob;
  /** What {@link killMidway} promised; undefined where nobody is killed. */
  readonly killing: Promise<number> | undefined;
  readonly tell: (name: string, text: string) => void;
  /** For what goes on. */
  readonly stream: OutputStream;
  readonly signal: AbortSignal;
}

/** Shows a job to its end, and the death of its first worker. */
export async function watchTakeover({ publisher, job, killing, tell, stream, signal }: WatchTakeoverOptions) {
  const display = createProgressDisplay(stream, { plainEveryMs: SECOND_MS });
  const watchOptions = { signal, intervalMs: LOOK_EVERY_MS };
  let isSilent = false;

  async function follow(): Promise<PublishJob> {
    let last = job;
    for await (last of watchJob(publisher, job.id, watchOptions)) {
      if (!isSilent) display.show(last);
    }
    return last;
  }

  /** @returns undefined where the job ended without another worker */
  async function untilResumed(): Promise<number | undefined> {
    for await (const { timeline } of watchJob(publisher, job.id, watchOptions)) {
      const resumed = timeline.findLast(({ event }) => event === 'resumed');
      if (typeof resumed?.tiktokHas === 'number') return resumed.tiktokHas;
    }
    return undefined;
  }

  async function tellTakeover(killedAtBytes: number): Promise<Takeover | undefined> {
    const killedAt = performance.now();
    isSilent = true;
    display.stop();
    tell('worker 1', `killed by SIGKILL after ${bytesText(killedAtBytes)}; its lock on the job lasts up to 10 s`);
    const resumedAtByte = await tellWhile(stream, 'waiting for worker 2 to take over', untilResumed());
    isSilent = false;
    if (resumedAtByte === undefined) return undefined;
    const afterMs = Math.round(performance.now() - killedAt);
    const byte = resumedAtByte.toLocaleString('en-US');
    tell('worker 2', `took over after ${durationText(afterMs)}, goes on at byte ${byte}, as TikTok reports`);
    return { killedAtBytes, resumedAtByte, afterMs };
  }

  try {
    const [ended, takeover] = await Promise.all([follow(), killing?.then(tellTakeover)]);
    return { job: ended, takeover };
  } finally {
    display.stop();
  }
}
