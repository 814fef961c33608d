import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import type { QueueJob } from '@bull-board/api/typings/app';
import type { Job, Queue } from 'bullmq';
import { z } from 'zod';
import { headline } from '../core/headline.ts';
import { PublishError } from '../core/publish-error.ts';
import type { PublishFailure, PublishJob } from '../core/publish-job.ts';
import type { BoardJobs } from './board-jobs.ts';
import { publishPagePath } from './console/publish-page.ts';
import { jobTitle, timelineWords } from './job-words.ts';

const delivery = z.looseObject({ event: z.looseObject({ type: z.string() }) });

/** A list of the board has up to 300 entries; of their jobs so many are in memory at a time. */
const READ_TOGETHER = 30;
/** Longest request that a list shows (bytes of JSON); the entry's own page shows it whole. */
const MAX_LISTED_REQUEST_BYTES = 16_384;

type JobStatuses = Parameters<BullMQAdapter['getJobs']>[0];

export interface LedgerAdapterOptions {
  readonly jobs: BoardJobs;
  readonly description: string;
  /** Path below which a proxy serves us. */
  readonly basePath: string;
  /** Whether entries of this queue stand for the work of a publish job, which the ledger can have done again. */
  readonly allowRetries: boolean;
}

/**
 * A queue on the board with what the ledger knows of its entries: a name that people can read, the state, the failure
 * with its advice, the timeline as the log. Its retry asks the ledger, and never touches the entry.
 */
export class LedgerAdapter extends BullMQAdapter {
  readonly #jobs: BoardJobs;
  readonly #isWork: boolean;
  // A completed entry has done its work, whatever became of the post.
  override readonly allowCompletedRetries = false;

  constructor(queue: Queue, { jobs, description, basePath, allowRetries }: LedgerAdapterOptions) {
    super(queue, { description, allowRetries, externalJobUrl: linkToJob(queue.name, { jobs, basePath }) });
    this.#jobs = jobs;
    this.#isWork = allowRetries;
  }

  /** Without the state of flows, which there are none of. */
  override getJobStatuses(): JobStatuses {
    return super.getJobStatuses().filter((status) => status !== 'waiting-children');
  }

  override async getJob(id: string): Promise<Job | undefined> {
    const entry = await super.getJob(id);
    return entry === undefined ? undefined : (await this.#withLedger([entry], Number.POSITIVE_INFINITY))[0];
  }

  override async getJobs(statuses: JobStatuses, start?: number, end?: number): Promise<Job[]> {
    const entries = await super.getJobs(statuses, start, end);
    const shown: Job[] = [];
    for (let from = 0; from < entries.length; from += READ_TOGETHER) {
      shown.push(...(await this.#withLedger(entries.slice(from, from + READ_TOGETHER), MAX_LISTED_REQUEST_BYTES)));
    }
    return shown;
  }

  /** The job's timeline. BullMQ's log of the entry is not read: workers write none, and an app may make one of any length. */
  override async getJobLogs(id: string): Promise<string[]> {
    const entry = await super.getJob(id);
    const jobId = entry === undefined || !this.#isWork ? undefined : this.#jobs.idOf(this.getName(), entry);
    const [known] = jobId === undefined ? [] : await this.#jobs.find([jobId]);
    const timeline = (known?.timeline ?? []).map(timelineWords);
    return timeline.map(({ time, what, facts }) => [time, what, ...facts].join('  '));
  }

  // Schedulers, flows and BullMQ's own metrics have no effect here. They are not read: an app may make any number of them.
  override async getJobSchedulers() {
    return [];
  }

  override async getJobSchedulersCount() {
    return 0;
  }

  override async getFlowProducer() {
    return null;
  }

  override async getMetrics() {
    return { meta: { count: 0, prevTS: 0, prevCount: 0 }, data: [], count: 0 };
  }

  async #withLedger(entries: readonly Job[], maxRequestBytes: number): Promise<Job[]> {
    const ids = entries.map((entry) => this.#jobs.idOf(this.getName(), entry));
    const asked = this.#isWork ? [...new Set(ids.filter((id) => id !== undefined))] : [];
    const found = new Map((await this.#jobs.find(asked)).map((job, index) => [asked[index], job]));
    return entries.map((entry, index) => this.#shown(entry, ids[index], found.get(ids[index]), maxRequestBytes));
  }

  #shown(entry: Job, id: string | undefined, known: PublishJob | undefined, maxRequestBytes: number): Job {
    const plain = entry.toJSON.bind(entry);
    const described = known && describeEntry(entry, known, maxRequestBytes);
    return Object.assign(entry, {
      toJSON: () => ({
        ...plain(),
        ...described,
        ...(!this.#isWork && id !== undefined && nameOfDelivery(entry, id)),
      }),
      retry: async () => {
        if (id === undefined || !this.#isWork) {
          throw new PublishError('JOB_NOT_RETRYABLE', { reason: 'this queue entry does not belong to a publish job' });
        }
        await this.#jobs.retry(id);
      },
    });
  }
}

function linkToJob(queue: string, { jobs, basePath }: Pick<LedgerAdapterOptions, 'jobs' | 'basePath'>) {
  return ({ id, timestamp, data }: ReturnType<QueueJob['toJSON']>) => {
    const entry = { id: String(id), timestamp, data };
    return { href: basePath + publishPagePath(jobs.idOf(queue, entry) ?? entry.id), displayText: 'Job page' };
  };
}

function describeEntry({ name, data, stacktrace }: Job, known: PublishJob, maxRequestBytes: number) {
  const { id, state, publishId, postIds, failure, attempts } = known;
  const title = jobTitle(known);
  const requestBytes = Buffer.byteLength(JSON.stringify(known.request));
  return {
    // The board shows the last one first.
    stacktrace: failure === null ? stacktrace : [...(stacktrace ?? []), failureText(failure)],
    name: name === 'recheck' ? `${title} · recheck` : title,
    data: {
      job: {
        ...{ id, state, summary: headline(known) },
        ...(failure !== null && { failure }),
        ...(publishId !== null && { publishId }),
        ...(postIds.length > 0 && { postIds }),
        ...(attempts > 0 && { failedAttempts: attempts }),
      },
      request: requestBytes > maxRequestBytes ? { leftOutBytes: requestBytes } : known.request,
      entry: data,
    },
  };
}

function nameOfDelivery({ data }: Job, jobId: string): { name: string } | undefined {
  const parsed = delivery.safeParse(data).data;
  return parsed && { name: `${parsed.event.type} · ${jobId}` };
}

function failureText({ code, message, advice }: PublishFailure): string {
  return `${code}: ${message}\nWhat to do: ${advice}\n`;
}
