import { z } from 'zod';
import { jobChangesSchema } from '../../core/job-changes.ts';
import { filesOf } from '../../core/media-route.ts';
import { PublishError } from '../../core/publish-error.ts';
import { publishRequestSchema } from '../../core/publish-request.ts';
import { BODY_PROBLEMS, jsonAnswer, jsonAnswers, REQUEST_PROBLEMS } from './api-answers.ts';
import { idempotencyKeySchema, keyOf } from './idempotency-key.ts';
import { accountParameter, jobQueryString } from './job-query-string.ts';
import {
  enqueuedJobSchema,
  jobCountsSchema,
  jobPageSchema,
  jobParams,
  jobSchema,
  retriedJobSchema,
} from './job-schema.ts';
import type { ApiOptions, ApiScope } from './typed-routes.ts';

type Options = Pick<ApiOptions, 'refuseFile'> & {
  /** Path below which a proxy serves us; empty where there is none. */
  readonly basePath: string;
};

const TAGS = ['Publishes'];
const NOT_FOUND = {
  404: '`JOB_NOT_FOUND`: no publish job has this id, or the job was deleted after its retention period.',
};

/** Adds `/v1/publishes`. */
export function registerPublishRoutes(api: ApiScope, options: Options): void {
  registerEnqueue(api, options);
  registerReading(api);
  registerChanges(api);
}

function registerEnqueue(api: ApiScope, { refuseFile, basePath }: Options): void {
  api.post(
    '/v1/publishes',
    {
      config: { access: { scope: 'enqueue', perAccount: true } },
      schema: {
        operationId: 'enqueuePublish',
        tags: TAGS,
        summary: 'Enqueue a publish',
        description:
          'Accepts a request durably: after the response, the job survives a crash of any process. `file` sources must be in a folder of `MEDIA_ROOTS`.',
        headers: z.object({
          'idempotency-key': idempotencyKeySchema.describe(
            'Any text, such as `spring-7`. The same key with the same request returns the same job; with a different request, the response is 409. The key is stored as long as the job.',
          ),
        }),
        body: publishRequestSchema,
        response: {
          202: jsonAnswer('Accepted: the job was created. The header `Location` has its URL.', enqueuedJobSchema),
          ...jsonAnswers('The idempotency key was already used: the job that it created.', enqueuedJobSchema, {
            ...REQUEST_PROBLEMS,
            409: '`IDEMPOTENCY_CONFLICT`: the key was used with a different request.',
          }),
        },
      },
    },
    async ({ body, headers, publisher }, reply) => {
      for (const path of filesOf(body.media)) await refuseFile(path);
      const job = await publisher.enqueue(body, keyOf(headers));
      reply.code(job.created ? 202 : 200).header('location', `${basePath}/v1/publishes/${encodeURIComponent(job.id)}`);
      return reply.send(job);
    },
  );
}

function registerReading(api: ApiScope): void {
  api.get(
    '/v1/publishes/:id',
    {
      config: { access: { scope: 'read', perAccount: true } },
      schema: {
        operationId: 'getPublish',
        tags: TAGS,
        summary: 'Get a job',
        params: jobParams,
        response: jsonAnswers('The current job.', jobSchema, NOT_FOUND),
      },
    },
    async ({ params: { id }, publisher }) => {
      const job = await publisher.get(id);
      if (job === undefined) throw new PublishError('JOB_NOT_FOUND');
      return job;
    },
  );
  api.get(
    '/v1/publishes',
    {
      config: { access: { scope: 'read', perAccount: true } },
      schema: {
        operationId: 'listPublishes',
        tags: TAGS,
        summary: 'List jobs',
        description:
          'The jobs that meet every condition. For the next page, repeat the request with `cursor` set to `nextCursor`, until `nextCursor` is null; new jobs do not shift the pages. A page may have fewer jobs than `limit`, or none, although there are more.',
        querystring: jobQueryString,
        response: jsonAnswers('A page of jobs.', jobPageSchema),
      },
    },
    async ({ query, publisher, signal }) => await publisher.list(query, { signal }),
  );
  api.get(
    '/v1/publishes/counts',
    {
      config: { access: { scope: 'read', perAccount: true } },
      schema: {
        operationId: 'countPublishes',
        tags: TAGS,
        summary: 'Count jobs',
        description: 'How many jobs there are by state, error code and waiting reason. What has no jobs is left out.',
        querystring: z.strictObject({ account: accountParameter }),
        response: jsonAnswers('Numbers of jobs.', jobCountsSchema),
      },
    },
    async ({ query: { account }, publisher, signal }) => await publisher.counts({ account }, { signal }),
  );
}

function registerChanges(api: ApiScope): void {
  api.patch(
    '/v1/publishes/:id',
    {
      config: { access: { scope: 'operate', perAccount: true } },
      schema: {
        operationId: 'updatePublish',
        tags: TAGS,
        summary: 'Change a job',
        description:
          'Changes the time, the priority or the post of a job that has not begun. Fields that are left out stay as they are.',
        params: jobParams,
        body: jobChangesSchema,
        response: jsonAnswers('The current job.', jobSchema, {
          ...NOT_FOUND,
          ...BODY_PROBLEMS,
          409: '`JOB_NOT_CHANGEABLE`: the job has begun or ended. `detail` says why.',
        }),
      },
    },
    async ({ params: { id }, body, publisher }) => await publisher.update(id, body),
  );
  api.post(
    '/v1/publishes/:id/cancel',
    {
      config: { access: { scope: 'operate', perAccount: true } },
      schema: {
        operationId: 'cancelPublish',
        tags: TAGS,
        summary: 'Cancel a job',
        description:
          'Possible only if the job cannot have been published. A running pull is cancelled at TikTok; the job becomes `cancelled` when TikTok confirms it.',
        params: jobParams,
        response: jsonAnswers('The current job.', jobSchema, {
          ...NOT_FOUND,
          409: '`JOB_NOT_CANCELLABLE`: TikTok may already have the video, or the job has ended.',
        }),
      },
    },
    async ({ params: { id }, publisher }) => await publisher.cancel(id),
  );
  api.post(
    '/v1/publishes/:id/retry',
    {
      config: { access: { scope: 'operate', perAccount: true } },
      schema: {
        operationId: 'retryPublish',
        tags: TAGS,
        summary: 'Retry a job',
        description: 'Retries a failed or unconfirmed job without the risk of posting twice. The body is optional.',
        params: jobParams,
        body: z
          .strictObject({
            force: z
              .boolean()
              .optional()
              .describe(
                'Start again even if TikTok may have published the post. Check on TikTok first: a second post is possible.',
              ),
          })
          .nullish(),
        response: jsonAnswers('The job, and how it continues.', retriedJobSchema, {
          ...NOT_FOUND,
          409: '`JOB_NOT_RETRYABLE`: the job has not failed, or it can be retried only with `force`. `detail` says why.',
          ...BODY_PROBLEMS,
        }),
      },
    },
    async ({ params: { id }, body, publisher }) => await publisher.retry(id, { force: body?.force ?? false }),
  );
}
