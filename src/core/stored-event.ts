import { z } from 'zod';
import { PUBLISH_EVENT_TYPES, type PublishEvent } from './publish-job.ts';

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

/**
 * The event in an entry of one of our streams, whose fields are names and values in turn.
 * @returns undefined for what a newer version or somebody else put there
 */
export function parseStoredEvent(fields: readonly string[]): PublishEvent | undefined {
  try {
    return storedEventSchema.parse(JSON.parse(fields[fields.indexOf('event') + 1] ?? ''));
  } catch {
    return undefined;
  }
}
