import { z } from 'zod';

const time = z.iso.datetime();
const eventIdSchema = z.string().meta({ description: 'Id of the event, the `webhook-id` of its deliveries.' });

const pausedEndpointSchema = z
  .object({
    id: z.string().meta({ description: 'Names the endpoint where it is resumed.' }),
    endpoint: z.string().meta({ description: 'Its address, without the query.' }),
    pausedAt: time.meta({ description: 'Since when its events wait.' }),
    failures: z.int().meta({ description: 'Deliveries that failed in a row.' }),
    lastCode: z.string().meta({ description: 'Why the last one failed.' }),
    waiting: z.int().meta({ description: 'Events that wait.' }),
  })
  .meta({ id: 'PausedEndpoint', description: 'A callback endpoint that kept failing.' });

const failedEventSchema = z
  .object({
    eventId: eventIdSchema,
    jobId: z.string().meta({ description: 'The publish job.' }),
    type: z.string().meta({ description: 'Type of the event.' }),
    at: time.meta({ description: 'When it was given up.' }),
    endpoint: z.string().nullable().meta({ description: 'Where it should have gone, without the query.' }),
    reason: z.string().meta({ description: '`CODE: what happened`.' }),
  })
  .meta({ id: 'FailedEvent', description: 'An event that could not be delivered and was given up.' });

/** How the delivery of events goes. */
export const callbackOverviewSchema = z
  .object({
    counts: z
      .object({
        waiting: z.int().meta({ description: 'Events about to be delivered.' }),
        active: z.int().meta({ description: 'Events being delivered.' }),
        delayed: z.int().meta({ description: 'Events that wait for their next delivery.' }),
        failed: z.int().meta({ description: 'Events that were given up and are kept.' }),
      })
      .meta({ description: 'How many events are where.' }),
    paused: z.array(pausedEndpointSchema),
    failed: z.array(failedEventSchema).meta({ description: 'The latest that were given up.' }),
  })
  .meta({ id: 'CallbackOverview', description: 'How the delivery of events to callback URLs goes.' });

const attemptSchema = z
  .object({
    at: time.meta({ description: 'When.' }),
    eventId: eventIdSchema,
    type: z.string().meta({ description: 'Type of the event.' }),
    attempt: z.int().meta({ description: 'Which delivery of this event it was.' }),
    outcome: z
      .enum(['delivered', 'retried', 'failed'])
      .meta({ description: '`retried` comes again, `failed` does not.' }),
    status: z.int().nullable().meta({ description: 'What the receiver answered.' }),
    durationMs: z.int().meta({ description: 'How long it took.' }),
    code: z.string().nullable().meta({ description: 'Why it failed.' }),
    message: z.string().nullable().meta({ description: 'The same in words.' }),
  })
  .meta({ id: 'DeliveryAttempt', description: 'One delivery of an event.' });

/** The deliveries of one job. */
export const jobDeliveriesSchema = z
  .object({
    jobId: z.string().meta({ description: 'The publish job.' }),
    undelivered: z.array(z.string()).meta({ description: 'Ids of events still on their way, oldest first.' }),
    attempts: z.array(attemptSchema).meta({ description: 'The last 50 deliveries, newest first.' }),
  })
  .meta({ id: 'JobDeliveries', description: 'The deliveries of the events of one job.' });

/** What is delivered again. */
export const replayedSchema = z
  .object({ replayed: z.array(z.string()).meta({ description: 'Ids of the events.' }) })
  .meta({ id: 'ReplayedEvents', description: 'The events that are delivered again.' });

/** A pause that has ended. */
export const resumedEndpointSchema = z
  .object({
    endpoint: z.string().meta({ description: 'Its address, without the query.' }),
    woken: z.int().meta({ description: 'Events that go on.' }),
  })
  .meta({ id: 'ResumedEndpoint', description: 'A callback endpoint whose pause has ended.' });
