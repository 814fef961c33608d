import { z } from 'zod';
import { exposureOf, type SessionFacts } from './exposure.ts';
import { PublishError, toInputProblems } from './publish-error.ts';
import { type PublishRequest, parsePublishRequest, requestFields } from './publish-request.ts';
import { isTerminal } from './publish-state.ts';

const { scheduledAt, notAfter, priority, post } = requestFields;

type PostShape = ReturnType<typeof post.unwrap>['shape'];

/** Each setting of a post, or null to remove it. */
const postChanges = Object.fromEntries(
  Object.entries(post.unwrap().shape).map(([name, schema]) => [name, schema.nullable().meta({ ...schema.meta() })]),
) as { [Name in keyof PostShape]: z.ZodNullable<PostShape[Name]> };

/** What may be changed of a job that has not begun; null removes a field, as in JSON Merge Patch (RFC 7396). */
export const jobChangesSchema = z
  .strictObject({
    scheduledAt: scheduledAt.nullable().meta({
      description: 'New start time, with a time zone; null: start immediately.',
      examples: ['2026-12-01T10:00:00Z'],
    }),
    notAfter: notAfter.nullable().meta({
      description: 'New latest start, with a time zone; null: no limit.',
      examples: ['2026-12-01T12:00:00Z'],
    }),
    priority: priority.nullable().meta({ description: 'New priority; null: before all others.' }),
    post: z.strictObject(postChanges).optional().meta({
      description: 'Settings of the post to change; null removes a setting, and the others stay.',
    }),
  })
  .meta({
    id: 'JobChanges',
    description: 'Changes of a job that has not begun. What is left out stays as it is.',
    examples: [{ scheduledAt: '2026-12-01T10:00:00Z', post: { title: 'Hello again' } }],
  });

/** What may be changed of a job that has not begun. What is left out stays; null removes a field. */
export type JobChanges = z.infer<typeof jobChangesSchema>;

/** @throws PublishError `INPUT_INVALID` with every problem */
export function parseJobChanges(input: unknown): JobChanges {
  const result = jobChangesSchema.safeParse(input);
  if (result.success) return result.data;
  throw new PublishError('INPUT_INVALID', { problems: toInputProblems(result.error.issues, 'changes') });
}

/** A request with changes. @throws PublishError `INPUT_INVALID` if the whole would not be accepted */
export function changeRequest(request: PublishRequest, { post: postPart, ...changes }: JobChanges): PublishRequest {
  const merged = merge(request, changes);
  return parsePublishRequest(
    postPart === undefined ? merged : { ...merged, post: merge(request.post ?? {}, postPart) },
  );
}

function merge(present: object, changes: object): Record<string, unknown> {
  const entries = Object.entries({ ...present, ...Object.fromEntries(givenIn(changes)) });
  return Object.fromEntries(entries.filter(([, value]) => value !== null));
}

function givenIn(changes: object): [string, unknown][] {
  return Object.entries(changes).filter(([, value]) => value !== undefined);
}

/** Why a job can't be changed any more. @returns undefined while it has not begun */
export function whyUnchangeable(
  job: SessionFacts & { readonly cancelRequestedAt?: number | undefined },
): string | undefined {
  if (isTerminal(job.state)) return `the job has ended: it is ${job.state}`;
  if ((job.state !== 'scheduled' && job.state !== 'queued') || exposureOf(job) !== 'none')
    return `the job has begun: it is ${job.state}`;
  return job.cancelRequestedAt === undefined ? undefined : 'somebody has asked to cancel the job';
}
