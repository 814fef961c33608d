import { z } from 'zod';
import type { Foundation } from '../foundation/foundation.ts';
import type { BoardOptions } from '../http/board.ts';
import type { BoardJobs } from '../http/board-jobs.ts';
import { createLedgerReader, type LedgerReader } from '../ledger/ledger-reader.ts';
import type { Publisher } from '../producers/publisher.ts';
import { publishIdOfEntry } from '../queues/job-ids.ts';
import { QUEUE_NAMES } from '../queues/queue-names.ts';
import type { Queues } from '../queues/queues.ts';
import type { RedisClient } from '../redis/lua-script.ts';
import { headline } from './job-text.ts';

/** Entries of `tiktok-status` and `tiktok-events` name their publish job. */
const entryOfJob = z.looseObject({ id: z.string() });

/** What the board stands on. */
export interface BoardParts {
  readonly foundation: Pick<Foundation, 'config' | 'keys'>;
  readonly queues: Queues;
  readonly redis: RedisClient;
}

/** The board over the three queues, with the ledger behind it. */
export function boardOptions(
  { foundation, queues, redis }: BoardParts,
  publisher: Pick<Publisher, 'retry'>,
): Omit<BoardOptions, 'host'> {
  const { board: login, boardViewer: viewer } = foundation.config.http;
  return {
    ...{ login, viewer },
    jobs: createBoardJobs(createLedgerReader({ redis, keys: foundation.keys }), publisher),
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

/** What the board asks of the ledger. */
export function createBoardJobs(
  reader: Pick<LedgerReader, 'readMany' | 'readRequests'>,
  publisher: Pick<Publisher, 'retry'>,
): BoardJobs {
  return {
    idOf(queue, { id, timestamp, data }) {
      if (queue === QUEUE_NAMES.publish) return publishIdOfEntry({ id, timestamp });
      return entryOfJob.safeParse(data).data?.id;
    },
    async find(ids) {
      const [jobs, requests] = await Promise.all([reader.readMany(ids), reader.readRequests(ids)]);
      return jobs.map((job, index) => {
        const request = requests[index];
        return job === undefined || request === undefined ? undefined : { job, request, headline: headline(job) };
      });
    },
    async retry(id) {
      await publisher.retry(id);
    },
  };
}
