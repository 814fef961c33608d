import { z } from 'zod';
import { ALL_ERROR_CODES, isErrorCode } from '../../core/error-table.ts';
import { publishRequestSchema } from '../../core/publish-request.ts';
import { ALL_PUBLISH_STATES, PUBLISH_STATES, WAIT_REASONS } from '../../core/publish-state.ts';
import { ALL_TIMELINE_EVENTS, factNames, TIMELINE_EVENTS } from '../../core/timeline-events.ts';

const time = z.iso.datetime();

const STATES_TEXT = ALL_PUBLISH_STATES.map((state) => `\`${state}\`: ${PUBLISH_STATES[state].meaning}`).join('; ');

const stateSchema = z
  .enum(ALL_PUBLISH_STATES)
  .meta({ id: 'PublishState', description: `State of the job. ${STATES_TEXT}.` });

const failureSchema = z
  .object({
    code: z.string().refine(isErrorCode).describe('Stable error code. Match on it.'),
    message: z.string().describe('What happened.'),
    advice: z.string().describe('Recommended action.'),
    retryable: z.boolean().describe('Whether a retry without changes may help.'),
    tiktokCode: z.string().optional().describe("TikTok's error code."),
    tiktokLogId: z.string().optional().describe("TikTok's log id, for TikTok support."),
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
    at: time.describe('When.'),
    event: z.string().describe(`What. ${EVENTS_TEXT} An older version may have written others.`),
  })
  .meta({ id: 'TimelineEntry', description: 'A timeline event of a job, with its own facts.' });

const progressSchema = z.object({
  totalBytes: z.int().nonnegative().describe('Size of the video; 0 until it is known.'),
  sentBytes: z.int().nonnegative().describe('Bytes sent so far.'),
  acceptedBytes: z.int().nonnegative().describe('Bytes that TikTok has confirmed.'),
});

const EXAMPLE_ID = '0194f2b0-7c1e-7e56-9a53-2f6d5f2f7b10';

const JOB_EXAMPLE = {
  ...{ id: EXAMPLE_ID, account: 'acme', mode: 'direct', state: 'published', waitingFor: null, waitingUntil: null },
  ...{ createdAt: '2026-12-01T10:00:00.000Z', updatedAt: '2026-12-01T10:00:41.000Z', scheduledAt: null },
  endedAt: '2026-12-01T10:00:41.000Z',
  ...{ publishId: 'v_pub_file~v2-1.7012345', postIds: ['7512345678901234567'] },
  postUrls: ['https://www.tiktok.com/@acme/video/7512345678901234567'],
  ...{ progress: { totalBytes: 48_000_000, sentBytes: 48_000_000, acceptedBytes: 48_000_000 }, attempts: 0 },
  failure: null,
  request: {
    ...{ account: 'acme', mode: 'direct', media: { type: 'file', path: '/srv/media/spring.mp4' } },
    ...{ post: { title: 'Hello from our kitchen', privacyLevel: 'SELF_ONLY' }, metadata: { yourId: 'spring-7' } },
  },
  ...{ idempotencyKey: 'spring-7', metadata: { yourId: 'spring-7' } },
  timeline: [{ at: '2026-12-01T10:00:00.000Z', event: 'queued' }],
} as const;
const QUEUED_EXAMPLE = {
  ...{ ...JOB_EXAMPLE, state: 'queued', updatedAt: JOB_EXAMPLE.createdAt, endedAt: null, publishId: null, postIds: [] },
  postUrls: [],
  progress: { totalBytes: 0, sentBytes: 0, acceptedBytes: 0 },
} as const;

export const jobParams = z.object({
  id: z
    .string()
    .min(1)
    .max(255, 'expected at most 255 characters')
    .meta({ description: 'Id of the job.', examples: [EXAMPLE_ID] }),
});

const jobFields = {
  id: z.string().describe('Id of the job.'),
  account: z.string().describe('Account to which the job publishes.'),
  mode: z.enum(['direct', 'inbox']).describe('Publish directly, or send a draft to the inbox.'),
  state: stateSchema,
  waitingFor: z.enum(WAIT_REASONS).nullable().describe('What the job waits for, in any state before its end.'),
  waitingUntil: time
    .nullable()
    .describe(
      'When the job looks again, to the minute, if known; it may still have to wait then. Without `waitingFor`, its next attempt after a failed one.',
    ),
  createdAt: time.describe('When the job was accepted.'),
  updatedAt: time.describe('When the job last changed.'),
  scheduledAt: time.nullable().describe('Requested start time.'),
  endedAt: time.nullable().describe('When the job got its outcome; null before.'),
  publishId: z.string().nullable().describe("TikTok's id of the post, if it has one yet."),
  postIds: z
    .array(z.string())
    .describe(
      'Ids of the TikTok posts, as decimal strings. May be empty at first and be filled in after the job is `published`.',
    ),
  postUrls: z
    .array(z.string())
    .describe(
      "URLs of these posts, in the same order. Empty until TikTok has told the ids, and where it has not told the creator's user name.",
    ),
  progress: progressSchema.describe('Progress of the upload.'),
  attempts: z
    .int()
    .nonnegative()
    .describe('Number of consecutive failed attempts. Progress resets it to 0. Waiting does not count.'),
  failure: failureSchema.nullable(),
  request: publishRequestSchema.describe(
    'What was asked for. URLs are shown without user, password, query and fragment, which may be secrets.',
  ),
  idempotencyKey: z
    .string()
    .nullable()
    .describe(
      'Idempotency key of the job. Null: none, or one that contains a URL with a query, of which only a digest is stored.',
    ),
  metadata: z.record(z.string(), z.unknown()).nullable().describe('Metadata from the request.'),
  timeline: z.array(timelineEntrySchema).describe('Timeline of the job, oldest event first.'),
};

export const jobSchema = z.object(jobFields).meta({
  id: 'PublishJob',
  description: 'A publish job. Times are ISO 8601, sizes are bytes.',
  examples: [JOB_EXAMPLE],
});

export const enqueuedJobSchema = z
  .object({
    ...jobFields,
    created: z.boolean().describe('False if the idempotency key was already used with the same request.'),
  })
  .meta({
    id: 'EnqueuedJob',
    description: 'A publish job, and whether this request created it.',
    examples: [{ ...QUEUED_EXAMPLE, created: true }],
  });

export const retriedJobSchema = z
  .object({
    ...jobFields,
    action: z
      .enum(['poll', 'resume', 'fresh_init'])
      .describe(
        'How the job continues: `poll` checks the status at TikTok, `resume` resumes the upload, `fresh_init` starts a new upload.',
      ),
  })
  .meta({
    id: 'RetriedJob',
    description: 'A publish job, and how it continues.',
    examples: [{ ...QUEUED_EXAMPLE, action: 'fresh_init' }],
  });

export const jobPageSchema = z
  .object({
    jobs: z.array(jobSchema).describe('Jobs, in the order asked.'),
    nextCursor: z.string().nullable().describe('`cursor` of the next page; null on the last page.'),
    indexing: z
      .literal(true)
      .optional()
      .describe('Only while workers still index the jobs of an older version, which may be missing.'),
  })
  .meta({
    id: 'JobPage',
    description: 'A page of jobs.',
    examples: [{ jobs: [JOB_EXAMPLE], nextCursor: 'WzE3NjQ1ODMyMDAwMDAsIjAxOTRmMmIwIl0' }],
  });

const count = z.int().positive();

export const jobCountsSchema = z
  .object({
    total: z.int().nonnegative().describe('All jobs.'),
    states: z.partialRecord(z.enum(ALL_PUBLISH_STATES), count).describe('By state.'),
    codes: z.partialRecord(z.enum(ALL_ERROR_CODES), count).describe('Failed and unconfirmed jobs, by error code.'),
    waitingFor: z.partialRecord(z.enum(WAIT_REASONS), count).describe('Waiting jobs, by what they wait for.'),
  })
  .meta({
    id: 'JobCounts',
    description: 'Numbers of jobs. What has no jobs is left out.',
    examples: [
      {
        ...{ total: 41, states: { queued: 30, published: 8, failed: 3 } },
        ...{ codes: { INPUT_MEDIA_NOT_FOUND: 3 }, waitingFor: { turn: 28, rate_limit: 2 } },
      },
    ],
  });
