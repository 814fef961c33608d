import { z } from 'zod';
import { isErrorCode } from '../../core/error-table.ts';
import { ALL_PUBLISH_STATES, PUBLISH_STATES, WAIT_REASONS } from '../../core/publish-state.ts';
import { ALL_TIMELINE_EVENTS, factNames, TIMELINE_EVENTS } from '../../core/timeline-events.ts';

const time = z.iso.datetime();

const STATES_TEXT = ALL_PUBLISH_STATES.map((state) => `\`${state}\`: ${PUBLISH_STATES[state].meaning}`).join('; ');

/** Where a job stands. */
export const stateSchema = z
  .enum(ALL_PUBLISH_STATES)
  .meta({ id: 'PublishState', description: `Where a job stands. ${STATES_TEXT}.` });

const failureSchema = z
  .object({
    code: z.string().refine(isErrorCode).meta({ description: 'Stable name of the error: match on it.' }),
    message: z.string().meta({ description: 'What happened.' }),
    advice: z.string().meta({ description: 'What a person can do.' }),
    retryable: z.boolean().meta({ description: 'Whether a retry as it is may help.' }),
    tiktokCode: z.string().optional().meta({ description: "TikTok's own code." }),
    tiktokLogId: z.string().optional().meta({ description: "TikTok's log id, for its support." }),
  })
  .meta({
    id: 'PublishFailure',
    description: 'Why a job failed or is unconfirmed.',
    examples: [
      {
        code: 'INPUT_MEDIA_NOT_FOUND',
        message: 'there is no such file: /srv/media/spring.mp4',
        advice: 'Check the path, then retry.',
        retryable: true,
      },
    ],
  });

const EVENTS_TEXT = ALL_TIMELINE_EVENTS.map((event) => {
  const facts = factNames(event).map((name) => `\`${name}\``);
  return `\`${event}\`${facts.length > 0 ? ` (${facts.join(', ')})` : ''}: ${TIMELINE_EVENTS[event].meaning}`;
}).join(' ');

const timelineEntrySchema = z
  .looseObject({
    at: time.meta({ description: 'When.' }),
    event: z.string().meta({ description: `What. ${EVENTS_TEXT} An older version may have written others.` }),
  })
  .meta({ id: 'TimelineEntry', description: 'One thing that happened to a job, with facts of its own.' });

const progressSchema = z.object({
  totalBytes: z.int().nonnegative().meta({ description: 'Size of the video; 0 until it is known.' }),
  sentBytes: z.int().nonnegative().meta({ description: 'Bytes sent so far.' }),
  acceptedBytes: z.int().nonnegative().meta({ description: 'Bytes that TikTok has confirmed.' }),
});

const EXAMPLE_ID = '0194f2b0-7c1e-7e56-9a53-2f6d5f2f7b10';

const JOB_EXAMPLE = {
  ...{ id: EXAMPLE_ID, account: 'acme', mode: 'direct', state: 'published', waitingFor: null, waitingUntil: null },
  ...{ createdAt: '2026-12-01T10:00:00.000Z', updatedAt: '2026-12-01T10:00:41.000Z', scheduledAt: null },
  ...{ publishId: 'v_pub_file~v2-1.7012345', postIds: ['7512345678901234567'] },
  ...{ progress: { totalBytes: 48_000_000, sentBytes: 48_000_000, acceptedBytes: 48_000_000 }, attempts: 0 },
  ...{ failure: null, metadata: { yourId: 'spring-7' } },
  timeline: [{ at: '2026-12-01T10:00:00.000Z', event: 'queued' }],
} as const;
const QUEUED_EXAMPLE = {
  ...{ ...JOB_EXAMPLE, state: 'queued', updatedAt: JOB_EXAMPLE.createdAt, publishId: null, postIds: [] },
  progress: { totalBytes: 0, sentBytes: 0, acceptedBytes: 0 },
} as const;

/** The id of a job, in the address. */
export const jobParams = z.object({
  id: z
    .string()
    .min(1)
    .max(255, 'expected at most 255 characters')
    .meta({ description: 'Id of the job.', examples: [EXAMPLE_ID] }),
});

const jobFields = {
  id: z.string().meta({ description: 'Our id of the job.' }),
  account: z.string().meta({ description: 'The account it publishes to.' }),
  mode: z.enum(['direct', 'inbox']).meta({ description: 'Published directly, or put into the inbox as a draft.' }),
  state: stateSchema,
  waitingFor: z.enum(WAIT_REASONS).nullable().meta({ description: 'Why a `queued` job has not begun.' }),
  waitingUntil: time.nullable().meta({
    description:
      'Until when it waits, where that is known; without `waitingFor` it waits for its next attempt after one that failed.',
  }),
  createdAt: time.meta({ description: 'When it was accepted.' }),
  updatedAt: time.meta({ description: 'When it changed last.' }),
  scheduledAt: time.nullable().meta({ description: 'When it was asked to begin.' }),
  publishId: z.string().nullable().meta({ description: "TikTok's own handle of the publish, once there is one." }),
  postIds: z.array(z.string()).meta({
    description: 'TikTok posts, as exact digits. May be empty, and be filled in after the job is `published`.',
  }),
  progress: progressSchema.meta({ description: 'How far the upload is.' }),
  attempts: z.int().nonnegative().meta({
    description: 'Attempts that ended in an error, in a row; progress sets it back to 0. Waiting burns none.',
  }),
  failure: failureSchema.nullable(),
  metadata: z.record(z.string(), z.unknown()).nullable().meta({ description: 'What came with the request.' }),
  timeline: z.array(timelineEntrySchema).meta({ description: 'Everything that happened, oldest first.' }),
};

/** A publish job. */
export const jobSchema = z.object(jobFields).meta({
  id: 'PublishJob',
  description: 'A publish job. Times are ISO 8601, sizes are bytes.',
  examples: [JOB_EXAMPLE],
});

/** A job, and whether this request made it. */
export const enqueuedJobSchema = z
  .object({
    ...jobFields,
    created: z.boolean().meta({ description: 'False when the idempotency key had been seen with the same request.' }),
  })
  .meta({
    id: 'EnqueuedJob',
    description: 'A publish job, and whether this request made it.',
    examples: [{ ...QUEUED_EXAMPLE, created: true }],
  });

/** A job, and how it goes on. */
export const retriedJobSchema = z
  .object({
    ...jobFields,
    action: z.enum(['poll', 'resume', 'fresh_init']).meta({
      description:
        'How the job goes on: `poll` asks TikTok again, `resume` goes on with the bytes, `fresh_init` begins afresh.',
    }),
  })
  .meta({
    id: 'RetriedJob',
    description: 'A publish job, and how it goes on.',
    examples: [{ ...QUEUED_EXAMPLE, action: 'fresh_init' }],
  });

/** A page of jobs. */
export const jobPageSchema = z
  .object({
    jobs: z.array(jobSchema).meta({ description: 'Jobs, newest first.' }),
    nextCursor: z.string().nullable().meta({ description: '`cursor` of the next page; null on the last one.' }),
  })
  .meta({
    id: 'JobPage',
    description: 'A page of jobs, newest first.',
    examples: [{ jobs: [JOB_EXAMPLE], nextCursor: 'WzE3NjQ1ODMyMDAwMDAsIjAxOTRmMmIwIl0' }],
  });
