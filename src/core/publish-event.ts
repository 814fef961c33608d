import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { PublishState } from './publish-state.ts';

/** Types of completion events (CloudEvents `type`). */
export const PUBLISH_EVENT_TYPES = [
  'publish.queued',
  'publish.started',
  'publish.upload.completed',
  'publish.published',
  'publish.post_available',
  'publish.in_inbox',
  'publish.failed',
  'publish.cancelled',
  'publish.unconfirmed',
  'account.reauthorization_required',
] as const;
export type PublishEventType = (typeof PUBLISH_EVENT_TYPES)[number];

/** States in which a job ends, and the event that reports each. */
export const END_EVENTS = {
  published: 'publish.published',
  in_inbox: 'publish.in_inbox',
  failed: 'publish.failed',
  cancelled: 'publish.cancelled',
  unconfirmed: 'publish.unconfirmed',
} as const satisfies Partial<Record<PublishState, PublishEventType>>;
export type EndState = keyof typeof END_EVENTS;

/** A CloudEvents 1.0 event as stored on the stream. */
export interface PublishEvent {
  readonly specversion: '1.0';
  /** Stable and unique. */
  readonly id: string;
  readonly source: string;
  readonly type: PublishEventType;
  /** The job's id, or the account's name for account events. */
  readonly subject: string;
  readonly time: string;
  readonly datacontenttype: 'application/json';
  readonly data: Readonly<Record<string, unknown>>;
}

/** An entry of the events stream as Redis answers it. */
export type StreamEntry = readonly [id: string, fields: readonly string[]];

export type EventContent = Pick<PublishEvent, 'id' | 'type' | 'subject' | 'data'> & { readonly at: number };

/**
 * Placeholder in an event's id for the revision, which only the Redis script that stores the event knows. The script
 * replaces its first occurrence. Random, so that no text in an event can equal it.
 */
export const UNKNOWN_PART = randomUUID().replaceAll('-', '');

/** An event as the JSON that is stored. The id comes first, before any text of others. */
export function encodeEvent({ id, type, subject, at, data }: EventContent): string {
  const event: PublishEvent = {
    specversion: '1.0',
    id,
    source: 'urn:tiktok-publisher',
    type,
    subject,
    time: new Date(at).toISOString(),
    datacontenttype: 'application/json',
    data,
  };
  return JSON.stringify(event);
}

const publishEventSchema: z.ZodType<PublishEvent> = z.looseObject({
  specversion: z.literal('1.0'),
  id: z.string(),
  source: z.string(),
  type: z.enum(PUBLISH_EVENT_TYPES),
  subject: z.string(),
  time: z.string(),
  datacontenttype: z.literal('application/json'),
  data: z.record(z.string(), z.unknown()),
});

/**
 * The event in an entry of one of our streams, whose fields are names and values in turn.
 * @returns undefined for what a newer version or somebody else put there
 */
export function decodeEvent(fields: readonly string[]): PublishEvent | undefined {
  try {
    return publishEventSchema.parse(JSON.parse(fields[fields.indexOf('event') + 1] ?? ''));
  } catch {
    return undefined;
  }
}

/** What an event is about: the job and its account, or the account alone. */
export function subjectsOf({ subject, data }: PublishEvent): string[] {
  return typeof data.account === 'string' ? [subject, data.account] : [subject];
}
