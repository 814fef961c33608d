import { z } from 'zod';
import { ALL_ERROR_CODES } from '../../core/error-table.ts';
import { jobFilterSchema } from '../../core/job-filter.ts';
import {
  OPERATION_KINDS,
  OPERATION_STATES,
  OPERATION_WAYS,
  operationFields,
  refuseWrongOperation,
} from '../../core/operation.ts';
import { DEFAULT_LISTED_JOBS, MAX_LISTED_JOBS } from '../../core/post-limits.ts';
import { ALL_PUBLISH_STATES } from '../../core/publish-state.ts';
import { BODY_PROBLEMS, jsonAnswer, jsonAnswers } from './api-answers.ts';
import { idempotencyKeySchema, keyOf } from './idempotency-key.ts';
import type { ApiScope } from './typed-routes.ts';

const TAGS = ['Operations'];
const PATH = '/v1/operations';
const READ = { access: { scope: 'read', perAccount: true } } as const;
const OPERATE = { access: { scope: 'operate', perAccount: true } } as const;

const time = z.iso.datetime();
const count = z.int().nonnegative();

const bodySchema = z
  .strictObject({
    ...operationFields,
    dryRun: z.boolean().optional().meta({ description: 'Only tell what would be done.' }),
    limit: z
      .int()
      .min(1)
      .max(MAX_LISTED_JOBS)
      .optional()
      .meta({
        description: `With \`dryRun\`: maximum number of jobs on a page; ${DEFAULT_LISTED_JOBS} by default.`,
      }),
    cursor: z.string().max(1_000).optional().meta({
      description: 'With `dryRun`: `nextCursor` of the previous page. Later pages have no totals.',
    }),
  })
  .superRefine(refuseWrongOperation)
  .superRefine(({ dryRun, limit, cursor }, context) => {
    for (const [name, value] of Object.entries({ limit, cursor })) {
      if (value === undefined || dryRun === true) continue;
      context.addIssue({
        code: 'custom',
        path: [name],
        message: 'only used with "dryRun": true: add that, or remove it',
      });
    }
  })
  .meta({
    id: 'OperationRequest',
    description: 'What to do to which jobs.',
    examples: [{ kind: 'retry', filter: { code: ['INPUT_MEDIA_NOT_FOUND'], account: 'acme' }, dryRun: true }],
  });

const way = z
  .enum(OPERATION_WAYS)
  .describe(
    '`poll` asks TikTok for the status, `resume` goes on with the upload, `fresh_init` starts again; `cancel` ends the job, `ask_tiktok` asks TikTok to stop; `move` gives it its new time; `unchanged`: it is already so.',
  );
const refusalFields = {
  code: z.enum(ALL_ERROR_CODES).describe('Stable error code.'),
  reason: z.string().describe('Why, human-readable.'),
};
const totals = z
  .object({
    ways: z.partialRecord(way, z.int().positive()).describe('How many jobs go each way. What has none is left out.'),
    refused: z
      .array(z.object({ ...refusalFields, count: z.int().positive().describe('How many jobs.') }))
      .describe('How many jobs are refused, by why.'),
  })
  .meta({ id: 'OperationTotals', description: 'What is done to the jobs of an operation.' });

const EXAMPLE = {
  ...{ id: '0194f2b0-7c1e-7e56-9a53-2f6d5f2f7b10', kind: 'retry', state: 'running' },
  ...{ filter: { code: ['INPUT_MEDIA_NOT_FOUND'], account: ['acme'] }, scheduledAt: null, shiftMs: null },
  ...{ ratePerSecond: 100, createdAt: '2026-12-01T10:00:00.000Z', by: 'key ops', endedAt: null, abortedBy: null },
  ...{ jobCount: 40, doneCount: 21 },
  totals: { ways: { fresh_init: 20, resume: 1 }, refused: [] },
} as const;

const operationSchema = z
  .object({
    id: z.string().describe('Id of the operation.'),
    kind: z.enum(OPERATION_KINDS).describe('What it does.'),
    state: z
      .enum(OPERATION_STATES)
      .describe('`running` until every job was dealt with (`done`), or somebody ended it (`aborted`).'),
    filter: jobFilterSchema,
    scheduledAt: time.nullable().describe('With `reschedule`: the new start time.'),
    shiftMs: z.int().nullable().describe('With `reschedule`: how much later each job starts, in milliseconds.'),
    ratePerSecond: z.int().positive().describe('How many jobs are changed in a second, at most.'),
    createdAt: time.describe('When it was started.'),
    by: z.string().nullable().describe('Who started it.'),
    endedAt: time.nullable().describe('When it ended; null while it runs.'),
    abortedBy: z.string().nullable().describe('Who aborted it.'),
    jobCount: count.nullable().describe('How many jobs it is for; null until a worker has gathered them.'),
    doneCount: count.describe('How many jobs were dealt with, refused ones included.'),
    totals: totals.describe('What was done to them.'),
  })
  .meta({ id: 'Operation', description: 'An operation on many jobs.', examples: [EXAMPLE] });

const previewSchema = z
  .object({
    jobCount: count.nullable().describe('How many jobs it would be for; null on a later page.'),
    totals: totals.nullable().describe('What would be done to all of them; null on a later page.'),
    jobs: z
      .array(
        z.object({
          id: z.string().describe('Id of the job.'),
          account: z.string().describe('Its account.'),
          post: z.string().describe('Its caption, video and privacy on one line, shortened.'),
          state: z.enum(ALL_PUBLISH_STATES).describe('Its state now.'),
          way: way.nullable().describe('How it would be changed; null: not at all.'),
          refusal: z.object(refusalFields).nullable().describe('Why it would be refused; null: it would not.'),
        }),
      )
      .describe('A page of the jobs, oldest first.'),
    nextCursor: z.string().nullable().describe('`cursor` of the next page; null on the last page.'),
  })
  .meta({ id: 'OperationPreview', description: 'What an operation would do now.' });

const listSchema = z
  .object({ operations: z.array(operationSchema).describe('Newest first.') })
  .meta({ id: 'OperationList', description: 'The newest 200 operations.', examples: [{ operations: [EXAMPLE] }] });

const params = z.object({ id: z.string().min(1).max(100).describe('Id of the operation.') });
const NOT_FOUND = {
  404: '`OPERATION_NOT_FOUND`: no operation has this id, or it is of accounts that do not exist for the key.',
};

/** Adds `/v1/operations`. */
export function registerOperationRoutes(api: ApiScope): void {
  api.post(
    PATH,
    {
      config: OPERATE,
      schema: {
        operationId: 'startOperation',
        tags: TAGS,
        summary: 'Start an operation on many jobs',
        description:
          'Retries, cancels or reschedules all jobs that meet the filter when it starts, each only in the way that is safe, and never twice. Workers do it; `GET /v1/operations/{id}` shows the progress. With `dryRun`, nothing is changed: the response tells how many jobs would go which way, and shows them one by one. At most 100,000 jobs, the oldest; run it again for the others.',
        headers: z.object({
          'idempotency-key': idempotencyKeySchema.describe(
            'Any text. The same key of the same API key with the same request starts one operation; with a different request, the response is 409. It is known as long as the operation. Not used with `dryRun`.',
          ),
        }),
        body: bodySchema,
        response: {
          202: jsonAnswer('The operation runs, or the one that the idempotency key started.', operationSchema),
          ...jsonAnswers('With `dryRun`: what it would do.', previewSchema, {
            ...BODY_PROBLEMS,
            409: '`IDEMPOTENCY_CONFLICT`: the key was used with a different request. `OPERATION_LIMIT`: 20 operations are unfinished, or 10 of one key; or two dry runs of the key are under way.',
          }),
        },
      },
    },
    async ({ body: { dryRun = false, limit, cursor, ...request }, headers, publisher, signal }, reply) => {
      if (dryRun)
        return await reply.code(200).send(await publisher.operations.preview(request, { limit, cursor, signal }));
      return await reply.code(202).send(await publisher.operations.start(request, keyOf(headers)));
    },
  );
  api.get(
    PATH,
    {
      config: READ,
      schema: {
        ...{ operationId: 'listOperations', tags: TAGS, summary: 'List operations' },
        response: jsonAnswers('The newest operations.', listSchema),
      },
    },
    async ({ publisher }) => ({ operations: await publisher.operations.list() }),
  );
  api.get(
    `${PATH}/:id`,
    {
      config: READ,
      schema: {
        ...{ operationId: 'getOperation', tags: TAGS, summary: 'Get an operation', params },
        response: jsonAnswers('The operation as it is now.', operationSchema, NOT_FOUND),
      },
    },
    async ({ params: { id }, publisher }) => await publisher.operations.get(id),
  );
  api.post(
    `${PATH}/:id/abort`,
    {
      config: OPERATE,
      schema: {
        ...{ operationId: 'abortOperation', tags: TAGS, summary: 'Abort an operation', params },
        description: 'Jobs that it has not reached stay as they are. An operation that has ended stays.',
        response: jsonAnswers('The operation.', operationSchema, NOT_FOUND),
      },
    },
    async ({ params: { id }, publisher }) => await publisher.operations.abort(id),
  );
}
