import type { Job } from 'bullmq';
import { z } from 'zod';

/** What BullMQ's scripts take as a count, or as seconds. */
const count = z.int().min(0).max(2_147_483_647);
const kept = z.union([
  z.boolean(),
  count,
  z.object({ age: count.optional(), count: count.optional(), limit: count.optional() }),
]);

/**
 * The options of an entry that are read, where they are of their kind. Others are not: BullMQ's worker would carry them
 * out, such as `repeatJobKey`, or its scripts would fail midway.
 */
const OPTIONS = new Map<string, z.ZodType>([
  ['attempts', count],
  ['backoff', z.object({ type: z.literal('custom') })],
  ['delay', z.number().min(0)],
  ['priority', count],
  ['lifo', z.boolean()],
  ['removeOnComplete', kept],
  ['removeOnFail', kept],
  ['telemetry', z.object({ metadata: z.string().optional(), omitContext: z.boolean().optional() })],
]);

/** {@link OPTIONS} of an entry that anybody may have written. */
export function plainOptions(options: Job['opts']): Job['opts'] {
  const read = Object.entries(options).flatMap(([name, value]) => {
    const parsed = OPTIONS.get(name)?.safeParse(value);
    return parsed?.success ? [[name, parsed.data]] : [];
  });
  return Object.fromEntries(read);
}
