import { z } from 'zod';
import { OLDEST_EVENT } from './event-cursor.ts';
import { PUBLISH_EVENT_TYPES, type PublishEvent, type PublishEventType } from './publish-event.ts';
import { callbackUrlSchema, onlyAccountsSchema } from './publish-request.ts';

/** A request for a subscription, from outside. */
export const subscriptionRequestSchema = z
  .strictObject({
    url: callbackUrlSchema.meta({
      description: 'Where events are sent, as signed POST requests. Stored encrypted; only origin and path are shown.',
      examples: ['https://app.example.com/events'],
    }),
    types: z
      .array(z.enum(PUBLISH_EVENT_TYPES))
      .min(1, 'expected one type or more; leave it out for all types')
      .optional()
      .meta({
        description: 'The only types of events to send. If omitted, all types.',
        examples: [['publish.failed']],
      }),
    accounts: onlyAccountsSchema.meta({
      description: 'The only accounts whose events are sent. If omitted, all accounts.',
      examples: [['acme']],
    }),
    after: z
      .string()
      .max(50)
      .optional()
      .meta({
        description: `Also send stored events after this cursor; \`${OLDEST_EVENT}\`: all that are stored. If omitted, events from now on.`,
        examples: [OLDEST_EVENT],
      }),
  })
  .meta({
    id: 'SubscriptionRequest',
    description: 'Which events to send where.',
    examples: [
      { url: 'https://app.example.com/events', types: ['publish.failed', 'account.reauthorization_required'] },
    ],
  });

/** Which events to send where. */
export type SubscriptionRequest = z.input<typeof subscriptionRequestSchema>;

/** An endpoint of the deployment that gets events of many jobs. */
export interface Subscription {
  readonly id: string;
  /** Origin and path of its URL. */
  readonly endpoint: string;
  /** Null: all. */
  readonly types: readonly PublishEventType[] | null;
  /** Null: all. */
  readonly accounts: readonly string[] | null;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly createdBy: string;
}

/** Whether a subscription wants an event. */
export function wants(
  { types, accounts }: Pick<Subscription, 'types' | 'accounts'>,
  event: Pick<PublishEvent, 'type' | 'data'>,
): boolean {
  return (types?.includes(event.type) ?? true) && (accounts?.includes(event.data.account) ?? true);
}

/** What an entry of `tiktok-events` delivers: an event to the callback of its job, or to a subscription. */
interface Delivered {
  /** The job or account that the event is about. */
  readonly id: string;
  readonly event: { readonly id: string };
  readonly subscription?: string | undefined;
}

/** Id of the entry in `tiktok-events`: an event goes to each of its receivers once. */
export function deliveryIdOf({ event, subscription }: Delivered): string {
  return subscription === undefined ? event.id : `${event.id}.${subscription}`;
}

/** What keeps its order: the events of one job, at each of their receivers. */
export function lineOf({ id, subscription }: Delivered): string {
  return subscription === undefined ? id : `${subscription}.${id}`;
}
