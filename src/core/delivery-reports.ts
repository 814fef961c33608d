import { z } from 'zod';
import { PUBLISH_EVENT_TYPES } from './publish-event.ts';

const time = z.iso.datetime();
const eventIdSchema = z.string().describe('Id of the event, the `webhook-id` of its deliveries.');

const pausedEndpointSchema = z
  .object({
    id: z.string().describe('Id of the endpoint, used to resume it.'),
    endpoint: z.string().describe('URL of the endpoint, without the query.'),
    pausedAt: time.describe('When the endpoint was paused.'),
    failures: z.int().describe('Number of consecutive failed deliveries.'),
    lastCode: z.string().describe('Why the last delivery failed.'),
    waiting: z.int().describe('Number of waiting events.'),
  })
  .meta({ id: 'PausedEndpoint', description: 'A callback endpoint that is paused after repeated failures.' });

const disabledUrlSchema = z
  .object({
    id: z.string().describe('Id of the URL, used to resume it.'),
    endpoint: z.string().describe('The URL, without the query.'),
    disabledAt: time.describe('When it responded with 410.'),
  })
  .meta({ id: 'DisabledCallbackUrl', description: 'A callback URL that responded with 410 and gets no more events.' });

const failedEventSchema = z
  .object({
    eventId: eventIdSchema,
    jobId: z.string().describe('The publish job.'),
    type: z.string().describe('Type of the event.'),
    at: time.describe('When delivery failed permanently.'),
    endpoint: z.string().nullable().describe('The callback URL, without the query.'),
    reason: z.string().describe('`CODE: what happened`.'),
  })
  .meta({ id: 'FailedEvent', description: 'An event whose delivery failed permanently.' });

export const callbackOverviewSchema = z
  .object({
    counts: z
      .object({
        waiting: z.int().describe('Events ready for delivery.'),
        active: z.int().describe('Events being delivered.'),
        delayed: z.int().describe('Events that wait for their next delivery attempt.'),
        failed: z.int().describe('Stored events that failed permanently.'),
      })
      .describe('Number of events by delivery state.'),
    paused: z.array(pausedEndpointSchema),
    disabled: z.array(disabledUrlSchema),
    failed: z.array(failedEventSchema).describe('The latest events that failed permanently.'),
  })
  .meta({ id: 'CallbackOverview', description: 'State of the event deliveries to callback URLs.' });

/** One delivery of an event, as it is stored and shown. */
export const attemptSchema = z
  .object({
    at: time.describe('When.'),
    eventId: eventIdSchema,
    type: z.string().describe('Type of the event.'),
    attempt: z.int().describe('Number of this delivery attempt, from 1.'),
    outcome: z
      .enum(['delivered', 'retried', 'failed'])
      .describe('`retried`: delivery will be attempted again; `failed`: it will not.'),
    status: z.int().nullable().describe('HTTP status from the receiver.'),
    durationMs: z.int().describe('Duration of the attempt.'),
    code: z.string().nullable().describe('Error code, if the attempt failed.'),
    message: z.string().nullable().describe('Error message.'),
  })
  .meta({ id: 'DeliveryAttempt', description: 'A delivery attempt of an event.' });

export const jobDeliveriesSchema = z
  .object({
    jobId: z.string().describe('The publish job.'),
    undelivered: z.array(z.string()).describe('Ids of events not delivered yet, oldest first.'),
    attempts: z.array(attemptSchema).describe('The last 50 delivery attempts, newest first.'),
  })
  .meta({ id: 'JobDeliveries', description: 'Deliveries of the events of a job.' });

const subscriptionFields = {
  id: z.string().describe('Id of the subscription.'),
  endpoint: z.string().describe('Where events are sent, without the query.'),
  types: z.array(z.enum(PUBLISH_EVENT_TYPES)).nullable().describe('The only types of events that are sent; null: all.'),
  accounts: z.array(z.string()).nullable().describe('The only accounts whose events are sent; null: all.'),
  createdAt: time.describe('When it was created.'),
  createdBy: z.string().describe('Who created it.'),
};

const SUBSCRIPTION_EXAMPLE = {
  ...{ id: '8b0f5f0e-2d4d-4b7b-9d7e-6a3f0d9b1c2e', endpoint: 'https://app.example.com/events' },
  ...{ types: ['publish.failed' as const], accounts: null },
  ...{ createdAt: '2026-12-01T10:00:00.000Z', createdBy: 'API_KEYS 1' },
};

export const subscriptionSchema = z.object(subscriptionFields).meta({
  id: 'Subscription',
  description: 'An endpoint that gets the events of many jobs and accounts.',
  examples: [SUBSCRIPTION_EXAMPLE],
});

export const subscriptionDeliveriesSchema = z
  .object({
    ...subscriptionFields,
    attempts: z.array(attemptSchema).describe('The last 50 delivery attempts, newest first.'),
  })
  .meta({
    id: 'SubscriptionDeliveries',
    description: 'A subscription with its last deliveries.',
    examples: [{ ...SUBSCRIPTION_EXAMPLE, attempts: [] }],
  });

export const replayedSchema = z
  .object({ replayed: z.array(z.string()).describe('Ids of the events.') })
  .meta({ id: 'ReplayedEvents', description: 'The events that will be delivered again.' });

export const resumedEndpointSchema = z
  .object({
    endpoint: z.string().describe('URL of the endpoint, without the query.'),
    woken: z.int().describe('Number of events that will now be delivered.'),
  })
  .meta({ id: 'ResumedEndpoint', description: 'A callback endpoint that was resumed.' });

export type PausedEndpoint = z.infer<typeof pausedEndpointSchema>;
export type DisabledUrl = z.infer<typeof disabledUrlSchema>;
export type FailedEvent = z.infer<typeof failedEventSchema>;
export type CallbackOverview = z.infer<typeof callbackOverviewSchema>;
export type DeliveryAttempt = z.infer<typeof attemptSchema>;
export type JobDeliveries = z.infer<typeof jobDeliveriesSchema>;
export type SubscriptionDeliveries = z.infer<typeof subscriptionDeliveriesSchema>;
export type ReplayedEvents = z.infer<typeof replayedSchema>;
export type ResumedEndpoint = z.infer<typeof resumedEndpointSchema>;
