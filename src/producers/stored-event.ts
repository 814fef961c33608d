import { z } from 'zod';
import { PUBLISH_EVENT_TYPES, type PublishEvent } from '../core/publish-job.ts';

/** An entry of the events stream as Redis answers it. */
export type StreamEntry = readonly [id: string, fields: readonly string[]];

const storedEventSchema: z.ZodType<PublishEvent> = z.looseObject({
  specversion: z.literal('1.0'),
  id: z.string(),
  source: z.string(),
  type: z.enum(PUBLISH_EVENT_TYPES),
  subject: z.string(),
  time: z.string(),
  datacontenttype: z.literal('application/json'),
  data: z.record(z.string(), z.unknown()),
});

/** The event that an entry holds. Undefined for what a newer version or somebody else put on the stream. */
export function parseStoredEvent([, fields]: StreamEntry): PublishEvent | undefined {
  try {
    return storedEventSchema.parse(JSON.parse(fields[fields.indexOf('event') + 1] ?? ''));
  } catch {
    return undefined;
  }
}

/** Whom an event is about: the job and its account, or the account alone. */
export function subjectsOf({ subject, data }: PublishEvent): string[] {
  return typeof data.account === 'string' ? [subject, data.account] : [subject];
}
