import { z } from 'zod';
import { DEFAULT_LISTED_JOBS, MAX_LISTED_JOBS } from '../../core/post-limits.ts';
import { PublishError } from '../../core/publish-error.ts';
import { MAX_IDEMPOTENCY_KEY_LENGTH, publishRequestSchema } from '../../core/publish-request.ts';
import type { ApiOptions } from './api.ts';
import { jsonAnswer, problemResponses } from './api-answers.ts';
import { enqueuedJobSchema, jobPageSchema, jobParams, jobSchema, retriedJobSchema, stateSchema } from './job-schema.ts';
import type { ApiScope } from './typed-routes.ts';

type Options = Pick<ApiOptions, 'publisher' | 'refuseFile'>;

const TAGS = ['Publishes'];
const NOT_FOUND = { 404: '`JOB_NOT_FOUND`: there is no such job, or its retention is over.' };

/** Adds `/v1/publishes`. */
export function registerPublishRoutes(api: ApiScope, options: Options): void {
  registerEnqueue(api, options);
  registerReading(api, options);
  registerChanges(api, options);
}

function registerEnqueue(api: ApiScope, { publisher, refuseFile }: Options): void {
  api.post(
    '/v1/publishes',
    {
      schema: {
        operationId: 'enqueuePublish',
        tags: TAGS,
        summary: 'Enqueue a publish',
        description:
          'Accepts a request durably: once this is answered, the job survives anything. `file` sources are taken from below `MEDIA_ROOTS` only.',
        headers: z.object({
          'idempotency-key': z
            .string()
            .min(1)
            .max(MAX_IDEMPOTENCY_KEY_LENGTH, `expected at most ${MAX_IDEMPOTENCY_KEY_LENGTH} characters`)
            .optional()
            .meta({
              description:
                'Any text, such as `spring-7`. The same key with the same request answers the same job; with another request 409. Kept as long as the job.',
            }),
        }),
        body: publishRequestSchema,
        response: {
          202: jsonAnswer(
            'Accepted: the job is made. The header `Location` says where it is to be found.',
            enqueuedJobSchema,
          ),
          200: jsonAnswer('The idempotency key had been seen: the job that it made.', enqueuedJobSchema),
          ...problemResponses({
            403: '`INPUT_MEDIA_OUTSIDE_ROOTS`: such a file may not be published over REST.',
            409: '`IDEMPOTENCY_CONFLICT`: the key was used with another request.',
            413: true,
            415: true,
          }),
        },
      },
    },
    async ({ body, headers }, reply) => {
      if (body.media.type === 'file') await refuseFile(body.media.path);
      const idempotencyKey = headers['idempotency-key'];
      const job = await publisher.enqueue(body, idempotencyKey === undefined ? {} : { idempotencyKey });
      reply.code(job.created ? 202 : 200).header('location', `/v1/publishes/${encodeURIComponent(job.id)}`);
      return reply.send(job);
    },
  );
}

function registerReading(api: ApiScope, { publisher }: Options): void {
  api.get(
    '/v1/publishes/:id',
    {
      schema: {
        operationId: 'getPublish',
        tags: TAGS,
        summary: 'Look at a job',
        params: jobParams,
        response: { 200: jsonAnswer('The job as it is now.', jobSchema), ...problemResponses(NOT_FOUND) },
      },
    },
    async ({ params: { id } }) => {
      const job = await publisher.get(id);
      if (job === undefined) throw new PublishError('JOB_NOT_FOUND');
      return job;
    },
  );
  api.get(
    '/v1/publishes',
    {
      schema: {
        operationId: 'listPublishes',
        tags: TAGS,
        summary: 'List jobs',
        description:
          'Newest first. To read on, repeat the request with `cursor` set to `nextCursor`, until that is null. Jobs that come meanwhile do not shift the pages.',
        querystring: z.strictObject({
          account: z.string().min(1).max(255).optional().meta({ description: 'Jobs of this account only.' }),
          state: stateSchema.optional(),
          limit: z.coerce
            .number()
            .int()
            .min(1)
            .max(MAX_LISTED_JOBS)
            .default(DEFAULT_LISTED_JOBS)
            .meta({ description: 'Most jobs of a page.' }),
          cursor: z.string().max(1_000).optional().meta({ description: '`nextCursor` of the page before.' }),
        }),
        response: { 200: jsonAnswer('A page of jobs.', jobPageSchema), ...problemResponses() },
      },
    },
    async ({ query: { account, state, limit, cursor } }) =>
      await publisher.list({
        limit,
        ...(account !== undefined && { account }),
        ...(state !== undefined && { state }),
        ...(cursor !== undefined && { cursor }),
      }),
  );
}

function registerChanges(api: ApiScope, { publisher }: Options): void {
  api.post(
    '/v1/publishes/:id/cancel',
    {
      schema: {
        operationId: 'cancelPublish',
        tags: TAGS,
        summary: 'Cancel a job',
        description:
          'Where that is certain to keep it from being published. A running pull is stopped by TikTok; the job is `cancelled` once TikTok says so.',
        params: jobParams,
        response: {
          200: jsonAnswer('The job as it is now.', jobSchema),
          ...problemResponses({ ...NOT_FOUND, 409: '`JOB_NOT_CANCELLABLE`: TikTok may have it, or it has ended.' }),
        },
      },
    },
    async ({ params: { id } }) => await publisher.cancel(id),
  );
  api.post(
    '/v1/publishes/:id/retry',
    {
      schema: {
        operationId: 'retryPublish',
        tags: TAGS,
        summary: 'Retry a job',
        description: 'A failed or unconfirmed job, in the way that cannot post twice. The body may be left out.',
        params: jobParams,
        body: z
          .strictObject({
            force: z.boolean().optional().meta({
              description:
                'Begin afresh although TikTok may have published it: you have looked, and take the risk of a second post.',
            }),
          })
          .nullish(),
        response: {
          200: jsonAnswer('The job, and how it goes on.', retriedJobSchema),
          ...problemResponses({
            ...NOT_FOUND,
            409: '`JOB_NOT_RETRYABLE`: it has not failed, or only `force` would do; `detail` says why.',
            413: true,
            415: true,
          }),
        },
      },
    },
    async ({ params: { id }, body }) => await publisher.retry(id, { force: body?.force ?? false }),
  );
}
