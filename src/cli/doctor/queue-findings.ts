import { setTimeout as sleep } from 'node:timers/promises';
import type { Job, Queue } from 'bullmq';
import type { JobReference } from '../../core/job-reference.ts';
import { PublishError } from '../../core/publish-error.ts';
import { parsePublishRequest } from '../../core/publish-request.ts';
import { type PublishingPause, pauseLine } from '../../core/publishing-pause.ts';
import { countText, durationText } from '../../core/quantity-text.ts';
import { SECOND_MS } from '../../core/units.ts';
import { QUEUE_NAMES } from '../../ledger/queues/queue-names.ts';
import type { Queues } from '../../ledger/queues/queues.ts';
import type { RedisClient } from '../../redis/lua-script.ts';
import { type Finding, nameList } from './finding.ts';

/** A free worker takes a job within milliseconds. */
const LOOK_AGAIN_AFTER_MS = SECOND_MS;
/** A worker that runs starts what is due within a second. */
const OVERDUE_FROM_MS = 30 * SECOND_MS;

/** Queues that somebody must work on; events are delivered only where somebody wants them. */
const WORKED = ['publish', 'status'] as const;
type WorkedQueue = (typeof WORKED)[number];

/** Whether somebody works on what waits, and what needs a person. */
export async function queueFindings(redis: RedisClient, queues: Queues): Promise<Finding[]> {
  const broken = await queues.findReservedIds();
  // It can't even be counted.
  if (broken.length > 0) return broken.map(reservedIdFinding);
  const first = await lookAt(queues, redis);
  const suspects = first.filter(isIdle).map(({ name }) => name);
  if (suspects.length > 0) await sleep(LOOK_AGAIN_AFTER_MS);
  const second = suspects.length > 0 ? await lookAt(queues, redis) : first;
  return second.flatMap((look) => findingsOf(look, suspects));
}

function reservedIdFinding({ queue, id }: { readonly queue: string; readonly id: string }): Finding {
  return {
    check: 'queues',
    level: 'problem',
    message: `${queue} stands still: a client added an entry with the id "${id}", which BullMQ uses itself`,
    fix: `Start a worker, which removes the entry. Give jobs other ids: see "Any BullMQ client" in docs/library.md.`,
  };
}

/** Which workers a publish needs and are not connected, human-readable; undefined where none or Redis does not tell. */
export async function missingWorkers(queues: Queues): Promise<string | undefined> {
  const counts = await Promise.all(WORKED.map((name) => queues[name].getWorkersCount().catch(() => undefined)));
  const missing = WORKED.filter((_, index) => counts[index] === 0).map((name) => QUEUE_NAMES[name]);
  return missing.length === 0 ? undefined : `No worker of ${missing.join(' and ')} is connected.`;
}

interface QueueLook {
  readonly name: WorkedQueue;
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
  /** How long ago the first of the delayed should have started (ms); negative while none is due. */
  readonly overdueMs: number;
  readonly failed: number;
  readonly isPaused: boolean;
  /** Undefined where Redis does not tell who is connected. */
  readonly workers: number | undefined;
}

function lookAt(queues: Queues, redis: RedisClient): Promise<QueueLook[]> {
  return Promise.all(
    WORKED.map(async (name) => {
      const queue = queues[name];
      const counts = await queue.getJobCounts('waiting', 'prioritized', 'active', 'delayed', 'failed');
      return {
        name,
        waiting: (counts.waiting ?? 0) + (counts.prioritized ?? 0),
        active: counts.active ?? 0,
        delayed: counts.delayed ?? 0,
        overdueMs: await overdueMs(queue, redis),
        failed: counts.failed ?? 0,
        isPaused: await queue.isPaused(),
        workers: await queue.getWorkersCount().catch(() => undefined),
      };
    }),
  );
}

/** BullMQ keeps the time at which a delayed job is due in the upper bits of its score. */
const SCORES_PER_MS = 4_096;

async function overdueMs(queue: Queue, redis: RedisClient): Promise<number> {
  const [, score] = await redis.zrange(queue.toKey('delayed'), '0', '0', 'WITHSCORES');
  return score === undefined ? -1 : Date.now() - Number(score) / SCORES_PER_MS;
}

function isIdle({ waiting, active, overdueMs: lateMs }: QueueLook): boolean {
  return active === 0 && (waiting > 0 || lateMs > OVERDUE_FROM_MS);
}

function findingsOf(look: QueueLook, suspects: readonly WorkedQueue[]): Finding[] {
  const { name, waiting, active, delayed, failed, isPaused, workers } = look;
  const queue = QUEUE_NAMES[name];
  const counts = `${queue}: ${waiting} waiting, ${active} active, ${delayed} delayed, ${failed} failed`;
  const findings: Finding[] = [{ check: 'queues', level: 'ok', message: counts }];
  const start = 'Run `tiktok-publisher start` or `tiktok-publisher worker`';
  if (isPaused) {
    const fix = "Resume it with BullMQ's queue.resume().";
    findings.push({
      check: 'queues',
      level: 'problem',
      message: `${queue} is paused, so its jobs are not processed`,
      fix,
    });
  } else if (isIdle(look) && suspects.includes(name)) {
    const fix = `${start} with the same Redis and QUEUE_PREFIX. If workers are running, check their log.`;
    const message = `${idleText(look)} and no worker processes ${waiting === 1 ? 'it' : 'them'}${workersText(look)}`;
    findings.push({ check: 'queues', level: 'problem', message, fix });
  } else if (workers === 0) {
    const message = `no worker of ${queue} is connected`;
    findings.push({ check: 'queues', level: 'advice', message, fix: `${start} to process jobs.` });
  }
  if (failed > 0) {
    const message = `${countText(failed, 'job')} of ${queue} failed and must be checked`;
    const fix = 'To see why: `tiktok-publisher list --state failed` and `--state unconfirmed`.';
    findings.push({ check: 'queues', level: 'advice', message, fix });
  }
  return findings;
}

function idleText({ name, waiting, overdueMs: lateMs }: QueueLook): string {
  const queue = QUEUE_NAMES[name];
  if (waiting > 0) return `${countText(waiting, 'job')} of ${queue} ${waiting === 1 ? 'is' : 'are'} waiting`;
  return `delayed jobs of ${queue} should have started ${durationText(lateMs)} ago`;
}

function workersText({ workers }: QueueLook): string {
  if (workers === undefined) return '';
  return workers === 0 ? ': no worker is connected' : `, although workers are connected: ${workers}`;
}

/** Enough to notice what a deploy left behind; a queue of a million must not make the doctor slow. */
const MAX_ENTRIES = 2_000;
const PAGE_ENTRIES = 500;
const NOT_STARTED = ['wait', 'prioritized', 'delayed'] as const;

/** Whether what waits was written by a version of this program that we understand. */
export async function payloadFindings(queues: Pick<Queues, 'publish' | 'status'>): Promise<Finding[]> {
  const publish = await findStrangers(queues.publish, isServedRequest);
  const status = await findStrangers(queues.status, isServedStatusEntry);
  return [...strangerFindings(QUEUE_NAMES.publish, publish), ...strangerFindings(QUEUE_NAMES.status, status)];
}

async function findStrangers(queue: Queue, isServed: (data: unknown) => boolean): Promise<string[]> {
  const ids: string[] = [];
  for (const state of NOT_STARTED) {
    for (let start = 0; start < MAX_ENTRIES; start += PAGE_ENTRIES) {
      // An entry that started or went meanwhile comes back as undefined.
      const page: (Job | undefined)[] = await queue.getJobs([state], start, start + PAGE_ENTRIES - 1, true);
      for (const entry of page) if (entry?.id !== undefined && !isServed(entry.data)) ids.push(entry.id);
      if (page.length < PAGE_ENTRIES) break;
    }
  }
  return ids;
}

/** A reference of ours has the version of requests. Requests that are wrong in another way fail on their own. */
function isServedRequest(data: unknown): boolean {
  try {
    parsePublishRequest(data);
    return true;
  } catch (error) {
    return !(error instanceof PublishError && error.code === 'INPUT_VERSION_UNSUPPORTED');
  }
}

const STATUS_ENTRY_VERSION: JobReference['version'] = 1;

function isServedStatusEntry(data: unknown): boolean {
  return typeof data === 'object' && data !== null && 'version' in data && data.version === STATUS_ENTRY_VERSION;
}

function strangerFindings(queue: string, ids: readonly string[]): Finding[] {
  if (ids.length === 0) return [];
  return [
    {
      check: 'queues',
      level: 'problem',
      message: `${ids.length} entries of ${queue} were written by an incompatible version of this program and will fail: ${nameList(ids)}`,
      fix: 'Let the version that wrote them finish them before you downgrade, or upgrade the workers.',
    },
  ];
}

/** Whether all publishing is paused. */
export async function pauseFindings(read: () => Promise<PublishingPause | undefined>): Promise<Finding[]> {
  const pause = await read();
  if (pause === undefined) return [];
  return [{ check: 'queues', level: 'advice', message: pauseLine(pause), fix: 'To go on: `tiktok-publisher resume`.' }];
}
