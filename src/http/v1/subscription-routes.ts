import { z } from 'zod';
import { subscriptionDeliveriesSchema, subscriptionSchema } from '../../core/delivery-reports.ts';
import { subscriptionRequestSchema } from '../../core/subscription.ts';
import { HttpProblem } from '../problem.ts';
import { BODY_PROBLEMS, jsonAnswer, jsonAnswers, problemResponses } from './api-answers.ts';
import { nameOf } from './callers.ts';
import type { ApiOptions, ApiScope } from './typed-routes.ts';

const TAGS = ['Callbacks'];
const PATH = '/v1/subscriptions';
const WATCHERS = { access: { scope: 'read', perAccount: false } } as const;
const ADMINS = { access: { scope: 'admin', perAccount: false } } as const;

const params = z.object({ id: z.string().min(1).max(100).describe('Id of the subscription.') });
const NOT_FOUND = { 404: '`SUBSCRIPTION_NOT_FOUND`: no subscription has this id.' };

const listSchema = z
  .object({ subscriptions: z.array(subscriptionSchema).describe('Oldest first.') })
  .meta({ id: 'SubscriptionList', description: 'All subscriptions.' });

const testSchema = z
  .object({ eventId: z.string().describe('Id of the test event, its `webhook-id`.') })
  .meta({ id: 'TestDelivery', description: 'The test event that will be sent.' });

/** Adds `/v1/subscriptions`. */
export function registerSubscriptionRoutes(api: ApiScope, options: Pick<ApiOptions, 'subscriptions'>): void {
  registerReading(api, options);
  registerChanges(api, options);
}

function registerReading(api: ApiScope, { subscriptions }: Pick<ApiOptions, 'subscriptions'>): void {
  api.get(
    PATH,
    {
      config: WATCHERS,
      schema: {
        operationId: 'listSubscriptions',
        tags: TAGS,
        summary: 'List subscriptions',
        description:
          'The endpoints that get events of many jobs and accounts, beside the callback URLs of single jobs.',
        response: jsonAnswers('All subscriptions.', listSchema),
      },
    },
    async () => ({ subscriptions: await subscriptions.list() }),
  );
  api.get(
    `${PATH}/:id`,
    {
      config: WATCHERS,
      schema: {
        operationId: 'getSubscription',
        tags: TAGS,
        summary: 'Get a subscription with its last deliveries',
        params,
        response: jsonAnswers('The subscription.', subscriptionDeliveriesSchema, NOT_FOUND),
      },
    },
    async ({ params: { id }, deliveries }) => foundSubscription(await deliveries.ofSubscription(id)),
  );
}

function registerChanges(api: ApiScope, { subscriptions }: Pick<ApiOptions, 'subscriptions'>): void {
  api.post(
    PATH,
    {
      config: ADMINS,
      schema: {
        operationId: 'createSubscription',
        tags: TAGS,
        summary: 'Subscribe an endpoint to events',
        description:
          'From now on, or from a stored event on, the events that it asks for are sent to the URL as signed POST requests: at least once, in the order of each job, with retries for about a day. A response 410 ends the deliveries.',
        body: subscriptionRequestSchema,
        response: {
          201: jsonAnswer('The subscription.', subscriptionSchema),
          ...problemResponses({ ...BODY_PROBLEMS, 410: '`EVENTS_CURSOR_LOST`: events after `after` were deleted.' }),
        },
      },
    },
    async ({ body, caller }, reply) => reply.code(201).send(await subscriptions.create(body, nameOf(caller))),
  );
  api.delete(
    `${PATH}/:id`,
    {
      config: ADMINS,
      schema: {
        operationId: 'deleteSubscription',
        tags: TAGS,
        summary: 'Delete a subscription',
        description: 'Nothing more is sent. Events that were not delivered yet are dropped.',
        params,
        response: jsonAnswers('The subscription was deleted.', subscriptionSchema, NOT_FOUND),
      },
    },
    async ({ params: { id }, caller }) => foundSubscription(await subscriptions.remove(id, nameOf(caller))),
  );
  api.post(
    `${PATH}/:id/test`,
    {
      config: ADMINS,
      schema: {
        operationId: 'testSubscription',
        tags: TAGS,
        summary: 'Send a test event',
        description:
          'Sends an event of type `subscription.test`, once. `GET /v1/subscriptions/:id` then shows what the receiver answered.',
        params,
        response: { 202: jsonAnswer('The event will be sent.', testSchema), ...problemResponses(NOT_FOUND) },
      },
    },
    async ({ params: { id }, deliveries }, reply) =>
      reply.code(202).send({ eventId: foundSubscription(await deliveries.testSubscription(id)) }),
  );
}

/** @throws HttpProblem `SUBSCRIPTION_NOT_FOUND` for undefined: no subscription has an id */
export function foundSubscription<T>(subscription: T | undefined): T {
  if (subscription !== undefined) return subscription;
  const detail = 'No subscription has this id. See GET /v1/subscriptions.';
  throw new HttpProblem({ status: 404, code: 'SUBSCRIPTION_NOT_FOUND', detail });
}
