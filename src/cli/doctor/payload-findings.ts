import type { Job, Queue } from 'bullmq';
import type { JobReference } from '../../core/job-reference.ts';
import { PublishError } from '../../core/publish-error.ts';
import { parsePublishRequest } from '../../core/publish-request.ts';
import { QUEUE_NAMES } from '../../queues/queue-names.ts';
import type { Queues } from '../../queues/queues.ts';
import { type Finding, nameList } from './finding.ts';

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
