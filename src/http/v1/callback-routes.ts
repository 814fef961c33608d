import { z } from 'zod';
import type { CallbackDesk } from '../../callbacks/callback-desk.ts';
import { jsonAnswer, problemResponses } from './api-answers.ts';
import {
  callbackOverviewSchema,
  jobDeliveriesSchema,
  replayedSchema,
  resumedEndpointSchema,
} from './callback-schema.ts';
import { jobParams } from './job-schema.ts';
import type { ApiScope } from './typed-routes.ts';

const TAGS = ['Callbacks'];
const UNKNOWN = { 404: '`CALLBACK_NOT_FOUND`: there is no such event, job or endpoint among the callbacks.' };
const MAX_ID_LENGTH = 300;
const MAX_HOST_LENGTH = 260;

const idParams = z.object({
  id: z.string().min(1).max(MAX_ID_LENGTH).meta({ description: 'Id of an event, of a job, or of an endpoint.' }),
});

/** Adds what people do with callbacks. */
export function registerCallbackRoutes(api: ApiScope, desk: CallbackDesk): void {
  registerViews(api, desk);
  registerChanges(api, desk);
}

function registerViews(api: ApiScope, desk: CallbackDesk): void {
  api.get(
    '/v1/callbacks',
    {
      schema: {
        operationId: 'getCallbacks',
        tags: TAGS,
        summary: 'See how deliveries go',
        description: 'What is on its way to callback URLs, which endpoints are paused, and what was given up.',
        response: { 200: jsonAnswer('How it goes now.', callbackOverviewSchema), ...problemResponses() },
      },
    },
    async () => await desk.overview(),
  );
  api.get(
    '/v1/publishes/:id/callbacks',
    {
      schema: {
        operationId: 'getPublishCallbacks',
        tags: TAGS,
        summary: 'See the deliveries of a job',
        params: jobParams,
        response: { 200: jsonAnswer('Its deliveries.', jobDeliveriesSchema), ...problemResponses({ 404: true }) },
      },
    },
    async ({ params: { id } }) => await desk.ofJob(id),
  );
}

function registerChanges(api: ApiScope, desk: CallbackDesk): void {
  api.post(
    '/v1/callbacks/:id/replay',
    {
      schema: {
        operationId: 'replayCallback',
        tags: TAGS,
        summary: 'Deliver an event again',
        description: 'Under its old id. The id of a job stands for all of its events that are kept.',
        params: idParams,
        response: { 200: jsonAnswer('They are delivered again.', replayedSchema), ...problemResponses(UNKNOWN) },
      },
    },
    async ({ params: { id } }) => await desk.replay(id),
  );
  api.post(
    '/v1/callbacks/replay-failed',
    {
      schema: {
        operationId: 'replayFailedCallbacks',
        tags: TAGS,
        summary: 'Deliver again what was given up',
        querystring: z.strictObject({
          host: z
            .string()
            .min(1)
            .max(MAX_HOST_LENGTH)
            .optional()
            .meta({ description: 'Only what goes to this host, or host:port.' }),
        }),
        response: { 200: jsonAnswer('They are delivered again.', replayedSchema), ...problemResponses() },
      },
    },
    async ({ query: { host } }) => await desk.replayFailed(host),
  );
  api.post(
    '/v1/callbacks/:id/resume',
    {
      schema: {
        operationId: 'resumeCallbackEndpoint',
        tags: TAGS,
        summary: 'End the pause of an endpoint',
        description: 'Its events go on at once. The id is the one that `GET /v1/callbacks` shows.',
        params: idParams,
        response: { 200: jsonAnswer('It is no longer paused.', resumedEndpointSchema), ...problemResponses(UNKNOWN) },
      },
    },
    async ({ params: { id } }) => await desk.resume(id),
  );
}
