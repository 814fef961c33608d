import { z } from 'zod';
import {
  callbackOverviewSchema,
  jobDeliveriesSchema,
  replayedSchema,
  resumedEndpointSchema,
} from '../../core/delivery-reports.ts';
import { PublishError } from '../../core/publish-error.ts';
import { jsonAnswers } from './api-answers.ts';
import { jobParams } from './job-schema.ts';
import type { ApiScope } from './typed-routes.ts';

const TAGS = ['Callbacks'];
const UNKNOWN = { 404: '`CALLBACK_NOT_FOUND`: no callback event, job or endpoint has this id.' };
const MAX_ID_LENGTH = 300;
const MAX_HOST_LENGTH = 260;

const idParams = z.object({
  id: z.string().min(1).max(MAX_ID_LENGTH).describe('Id of an event, of a job, or of an endpoint.'),
});

/** Adds what people do with callbacks. */
export function registerCallbackRoutes(api: ApiScope): void {
  registerViews(api);
  registerChanges(api);
}

function registerViews(api: ApiScope): void {
  api.get(
    '/v1/callbacks',
    {
      config: { access: { scope: 'read', perAccount: false } },
      schema: {
        operationId: 'getCallbacks',
        tags: TAGS,
        summary: 'Get callback deliveries',
        description:
          'Pending deliveries, up to 500 paused endpoints and 500 disabled URLs, and events that failed permanently.',
        response: jsonAnswers('The current deliveries.', callbackOverviewSchema),
      },
    },
    async ({ deliveries }) => await deliveries.overview(),
  );
  api.get(
    '/v1/publishes/:id/callbacks',
    {
      config: { access: { scope: 'read', perAccount: true } },
      schema: {
        operationId: 'getPublishCallbacks',
        tags: TAGS,
        summary: 'Get the deliveries of a job',
        params: jobParams,
        response: jsonAnswers('The deliveries of the job.', jobDeliveriesSchema, { 404: true }),
      },
    },
    async ({ params: { id }, publisher, deliveries }) => {
      // Deliveries may be kept longer than their job: of a job of others there are none.
      if ((await publisher.get(id)) === undefined) throw new PublishError('JOB_NOT_FOUND');
      return await deliveries.ofJob(id);
    },
  );
}

function registerChanges(api: ApiScope): void {
  api.post(
    '/v1/callbacks/:id/replay',
    {
      config: { access: { scope: 'operate', perAccount: false } },
      schema: {
        operationId: 'replayCallback',
        tags: TAGS,
        summary: 'Deliver an event again',
        description: 'The event keeps its id. The id of a job delivers all stored events of the job again.',
        params: idParams,
        response: jsonAnswers('The events will be delivered again.', replayedSchema, UNKNOWN),
      },
    },
    async ({ params: { id }, deliveries }) => await deliveries.replay(id),
  );
  api.post(
    '/v1/callbacks/replay-failed',
    {
      config: { access: { scope: 'operate', perAccount: false } },
      schema: {
        operationId: 'replayFailedCallbacks',
        tags: TAGS,
        summary: 'Deliver failed events again',
        description: 'The oldest first, up to 10,000; call it again for more.',
        querystring: z.strictObject({
          host: z.string().min(1).max(MAX_HOST_LENGTH).optional().describe('Only events for this host, or host:port.'),
        }),
        response: jsonAnswers('The events will be delivered again.', replayedSchema),
      },
    },
    async ({ query: { host }, deliveries, signal }) => await deliveries.replayFailed(host, signal),
  );
  api.post(
    '/v1/callbacks/:id/resume',
    {
      config: { access: { scope: 'operate', perAccount: false } },
      schema: {
        operationId: 'resumeCallbackEndpoint',
        tags: TAGS,
        summary: 'Resume a paused endpoint or a disabled URL',
        description:
          'Waiting events of a paused endpoint are delivered immediately; failed events must be replayed. `GET /v1/callbacks` returns the id.',
        params: idParams,
        response: jsonAnswers('The endpoint gets events again.', resumedEndpointSchema, UNKNOWN),
      },
    },
    async ({ params: { id }, deliveries }) => await deliveries.resume(id),
  );
}
