import { z } from 'zod';

const time = z.iso.datetime();
const eventIdSchema = z.string().meta({ description: 'Id of the event, the `webhook-id` of its deliveries.' });

const pausedEndpointSchema = z
  .object({
    id: z.string().meta({ description: 'Id of the endpoint, used to resume it.' }),
    endpoint: z.string().meta({ description: 'URL of the endpoint, without the query.' }),
    pausedAt: time.meta({ description: 'When the endpoint was paused.' }),
    failures: z.int().meta({ description: 'Number of consecutive failed deliveries.' }),
    lastCode: z.string().meta({ description: 'Why the last delivery failed.' }),
    waiting: z.int().meta({ description: 'Number of waiting events.' }),
  })
  .meta({ id: 'PausedEndpoint', description: 'A callback endpoint that is paused after repeated failures.' });

const failedEventSchema = z
  .object({
    eventId: eventIdSchema,
    jobId: z.string().meta({ description: 'The publish job.' }),
    type: z.string().meta({ description: 'Type of the event.' }),
    at: time.meta({ description: 'When delivery failed permanently.' }),
    endpoint: z.string().nullable().meta({ description: 'The callback URL, without the query.' }),
    reason: z.string().meta({ description: '`CODE: what happened`.' }),
  })
  .meta({ id: 'FailedEvent', description: 'An event whose delivery failed permanently.' });

export const callbackOverviewSchema = z
  .object({
    counts: z
      .object({
        waiting: z.int().meta({ description: 'Events ready for delivery.' }),
        active: z.int().meta({ description: 'Events being delivered.' }),
        delayed: z.int().meta({ description: 'Events that wait for their next delivery attempt.' }),
        failed: z.int().meta({ description: 'Stored events that failed permanently.' }),
      })
      .meta({ description: 'Number of events by delivery state.' }),
    paused: z.array(pausedEndpointSchema),
    failed: z.array(failedEventSchema).meta({ description: 'The latest events that failed permanently.' }),
  })
  .meta({ id: 'CallbackOverview', description: 'State of the event deliveries to callback URLs.' });

const attemptSchema = z
  .object({
    at: time.meta({ description: 'When.' }),
    eventId: eventIdSchema,
    type: z.string().meta({ description: 'Type of the event.' }),
    attempt: z.int().meta({ description: 'Number of this delivery attempt, from 1.' }),
    outcome: z
      .enum(['delivered', 'retried', 'failed'])
      .meta({ description: '`retried`: delivery will be attempted again; `failed`: it will not.' }),
    status: z.int().nullable().meta({ description: 'HTTP status from the receiver.' }),
    durationMs: z.int().meta({ description: 'Duration of the attempt.' }),
    code: z.string().nullable().meta({ description: 'Error code, if the attempt failed.' }),
    message: z.string().nullable().meta({ description: 'Error message.' }),
  })
  .meta({ id: 'DeliveryAttempt', description: 'A delivery attempt of an event.' });

export const jobDeliveriesSchema = z
  .object({
    jobId: z.string().meta({ description: 'The publish job.' }),
    undelivered: z.array(z.string()).meta({ description: 'Ids of events not delivered yet, oldest first.' }),
    attempts: z.array(attemptSchema).meta({ description: 'The last 50 delivery attempts, newest first.' }),
  })
  .meta({ id: 'JobDeliveries', description: 'Deliveries of the events of a job.' });

export const replayedSchema = z
  .object({ replayed: z.array(z.string()).meta({ description: 'Ids of the events.' }) })
  .meta({ id: 'ReplayedEvents', description: 'The events that will be delivered again.' });

export const resumedEndpointSchema = z
  .object({
    endpoint: z.string().meta({ description: 'URL of the endpoint, without the query.' }),
    woken: z.int().meta({ description: 'Number of events that will now be delivered.' }),
  })
  .meta({ id: 'ResumedEndpoint', description: 'A callback endpoint that was resumed.' });
