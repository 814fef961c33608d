import { z } from 'zod';
import {
  type PublishStatistics,
  STATISTICS_RANGE_NAMES,
  STATISTICS_RANGES,
  spreadOf,
  sumStatistics,
} from '../../core/publish-statistics.ts';
import { jsonAnswers } from './api-answers.ts';
import type { ApiOptions, ApiScope } from './typed-routes.ts';

const jobsThat = (ended: string) => z.int().nonnegative().describe(`Jobs that ${ended}.`);

const spread = z
  .object({
    p50Ms: z.int().nonnegative().describe('Half took this long or less (ms).'),
    p95Ms: z.int().nonnegative().describe('95 % took this long or less (ms).'),
  })
  .nullable();

const fields = {
  ended: z
    .object({
      published: jobsThat('are public or private posts now'),
      in_inbox: jobsThat('are drafts in the inbox of their creator'),
      failed: jobsThat('failed'),
      unconfirmed: jobsThat('may be posts, which TikTok did not confirm'),
    })
    .describe('How many jobs ended for the first time, by outcome; cancelled ones are not counted.'),
  timeToPublish: spread.describe('From enqueuing, or the scheduled time, to success; null where nothing succeeded.'),
  lateness: spread.describe('From the scheduled time to success; null where nothing scheduled succeeded.'),
};

const EXAMPLE = {
  ended: { published: 412, in_inbox: 0, failed: 3, unconfirmed: 0 },
  ...{ timeToPublish: { p50Ms: 21_400, p95Ms: 96_000 }, lateness: null },
};

const statisticsSchema = z
  .object({
    range: z.enum(STATISTICS_RANGE_NAMES).describe('How far back they go.'),
    bucketMs: z.int().positive().describe('How long each bucket is (ms).'),
    total: z.object(fields).describe('All buckets together.'),
    buckets: z
      .array(z.object({ at: z.iso.datetime().describe('When it began.'), ...fields }))
      .describe('Oldest first, up to now; those in which nothing ended are there too.'),
  })
  .meta({
    id: 'Statistics',
    description: 'How publishing went. Durations come from buckets, so they are about right.',
    examples: [
      { range: 'hour', bucketMs: 60_000, total: EXAMPLE, buckets: [{ at: '2026-12-01T10:00:00.000Z', ...EXAMPLE }] },
    ],
  });

/** Adds `/v1/statistics`. */
export function registerStatisticsRoutes(api: ApiScope, { statistics }: Pick<ApiOptions, 'statistics'>): void {
  api.get(
    '/v1/statistics',
    {
      config: { access: { scope: 'read', perAccount: false } },
      schema: {
        operationId: 'getStatistics',
        tags: ['Publishes'],
        summary: 'Get how publishing went',
        description:
          'Outcomes, time to publish and lateness of the last hour, day or week, as the console shows them. They are kept in Redis, apart from Prometheus.',
        querystring: z.strictObject({
          range: z.enum(STATISTICS_RANGE_NAMES).default('hour').describe('How far back: the last hour, day or week.'),
        }),
        response: jsonAnswers('The statistics.', statisticsSchema),
      },
    },
    async ({ query: { range } }) => {
      const buckets = await statistics.read(range);
      return {
        ...{ range, bucketMs: STATISTICS_RANGES[range].bucketMs, total: shown(sumStatistics(buckets)) },
        buckets: buckets.map(({ at, ...each }) => ({ at: new Date(at).toISOString(), ...shown(each) })),
      };
    },
  );
}

function shown({ ended, took, late }: PublishStatistics) {
  return { ended, timeToPublish: spreadOf(took), lateness: spreadOf(late) };
}
