import { z } from 'zod';
import type { Deliveries } from '../../callbacks/deliveries.ts';
import {
  callbackOverviewSchema,
  jobDeliveriesSchema,
  replayedSchema,
  resumedEndpointSchema,
} from '../../core/delivery-reports.ts';
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
export function registerCallbackRoutes(api: ApiScope, deliveries: Deliveries): void {
  registerViews(api, deliveries);
  registerChanges(api, deliveries);
}

function registerViews(api: ApiScope, deliveries: Deliveries): void {
  api.get(
    '/v1/callbacks',
    {
      schema: {
        operationId: 'getCallbacks',
        tags: TAGS,
        summary: 'Get callback deliveries',
        description: 'Pending deliveries, paused endpoints, disabled URLs, and events that failed permanently.',
        response: jsonAnswers('The current deliveries.', callbackOverviewSchema),
      },
    },
    async () => await deliveries.overview(),
  );
  api.get(
    '/v1/publishes/:id/callbacks',
    {
      schema: {
        operationId: 'getPublishCallbacks',
        tags: TAGS,
        summary: 'Get the deliveries of a job',
        params: jobParams,
        response: jsonAnswers('The deliveries of the job.', jobDeliveriesSchema, { 404: true }),
      },
    },
    async ({ params: { id } }) => await deliveries.ofJob(id),
  );
}

function registerChanges(api: ApiScope, deliveries: Deliveries): void {
  api.post(
    '/v1/callbacks/:id/replay',
    {
      schema: {
        operationId: 'replayCallback',
        tags: TAGS,
        summary: 'Deliver an event again',
        description: 'The event keeps its id. The id of a job delivers all stored events of the job again.',
        params: idParams,
        response: jsonAnswers('The events will be delivered again.', replayedSchema, UNKNOWN),
      },
    },
    async ({ params: { id } }) => await deliveries.replay(id),
  );
  api.post(
    '/v1/callbacks/replay-failed',
    {
      schema: {
        operationId: 'replayFailedCallbacks',
        tags: TAGS,
        summary: 'Deliver failed events again',
        querystring: z.strictObject({
          host: z.string().min(1).max(MAX_HOST_LENGTH).optional().describe('Only events for this host, or host:port.'),
        }),
        response: jsonAnswers('The events will be delivered again.', replayedSchema),
      },
    },
    async ({ query: { host } }) => await deliveries.replayFailed(host),
  );
  api.post(
    '/v1/callbacks/:id/resume',
    {
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
    async ({ params: { id } }) => await deliveries.resume(id),
  );
}
