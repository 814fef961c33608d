import { z } from 'zod';
import { planCancel } from '../core/cancel-plan.ts';
import type { Clock } from '../core/ports.ts';
import { planRetry } from '../core/retry-plan.ts';
import type { BoardJobs } from '../http/board-jobs.ts';
import type { BoardOptions } from '../http/console/register-pages.ts';
import { publishIdOfEntry } from '../ledger/queues/job-ids.ts';
import { QUEUE_NAMES } from '../ledger/queues/queue-names.ts';
import type { Publisher } from '../producers/publisher.ts';
import type { RedisParts } from './redis-parts.ts';

/** Entries of `tiktok-status` and `tiktok-events` name their publish job. */
const entryOfJob = z.looseObject({ id: z.string() });

/** The board over the three queues, with the ledger behind it. */
export function boardOptions(
  { queues, ...parts }: Pick<RedisParts, 'queues' | 'reader' | 'ledger'> & { readonly clock: Clock },
  publisher: Pick<Publisher, 'retry'>,
): Omit<BoardOptions, 'basePath'> {
  return {
    jobs: createBoardJobs(parts, publisher),
    queues: [
      {
        queue: queues.publish,
        isWork: true,
        description: 'Init and upload. An entry ends when TikTok has the whole video',
      },
      {
        queue: queues.status,
        isWork: true,
        description:
          'Status polls. An entry ends with the outcome of the post. Jobs that need a person are in the failed lists of this queue and of tiktok-publish',
      },
      { queue: queues.events, isWork: false, description: 'Delivery of events to callback URLs' },
    ],
  };
}

function createBoardJobs(
  { reader, ledger, clock }: Pick<RedisParts, 'reader' | 'ledger'> & { readonly clock: Clock },
  publisher: Pick<Publisher, 'retry'>,
): BoardJobs {
  return {
    idOf(queue, { id, timestamp, data }) {
      if (queue === QUEUE_NAMES.publish) return publishIdOfEntry({ id, timestamp });
      return entryOfJob.safeParse(data).data?.id;
    },
    find: reader.readMany,
    async plansOf(id) {
      const record = await ledger.read(id);
      return record && { cancel: planCancel(record), retry: planRetry(record, { force: false, now: clock.now() }) };
    },
    async retry(id) {
      await publisher.retry(id);
    },
  };
}
