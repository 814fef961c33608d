import { z } from 'zod';
import { PublishError, toInputProblems } from './publish-error.ts';
import { isoTime } from './publish-request.ts';

/** A pause of all publishing: nothing new is sent to TikTok; uploads under way and status polls go on. */
export interface PublishingPause {
  /** Why, for people; null if nobody said. */
  readonly reason: string | null;
  /** When it ends by itself (ISO 8601); null: when somebody resumes. */
  readonly until: string | null;
  /** Since when (ISO 8601). */
  readonly since: string;
  /** Who paused; null where nobody was named. */
  readonly by: string | null;
}

/** How to pause. */
export const pauseRequestSchema = z
  .strictObject({
    reason: z.string().min(1).max(500).nullish().meta({ description: 'Why, for people; at most 500 characters.' }),
    until: isoTime.nullish().meta({
      description: 'When the pause ends by itself, with a time zone. null: it lasts until `resume`, as by default.',
      examples: ['2026-12-01T10:00:00Z'],
    }),
  })
  .meta({
    id: 'PauseRequest',
    description:
      'How to pause all publishing. While it is paused, what is left out stays as it is, and null removes it.',
    examples: [{ reason: 'TikTok is down', until: '2026-12-01T10:00:00Z' }],
  });

/** How to pause all publishing. */
export type PauseRequest = z.infer<typeof pauseRequestSchema>;

/** @throws PublishError `INPUT_INVALID`, also for an end that is over */
export function parsePauseRequest(input: unknown, now: number): PauseRequest {
  const result = pauseRequestSchema.safeParse(input);
  const problems = result.success ? [] : toInputProblems(result.error.issues, 'pause');
  const { until } = result.data ?? {};
  if (typeof until === 'string' && Date.parse(until) <= now) {
    problems.push({ path: 'until', message: 'expected a time that is to come' });
  }
  if (!result.success || problems.length > 0) throw new PublishError('INPUT_INVALID', { problems });
  return result.data;
}

/** The pause that follows: what the request leaves out stays as it was, as does since when and by whom. */
export function nextPause(
  present: PublishingPause | undefined,
  { reason, until }: PauseRequest,
  { by, now }: { readonly by: string | undefined; readonly now: number },
): PublishingPause {
  const began = present ?? { reason: null, until: null, since: new Date(now).toISOString(), by: by ?? null };
  return {
    ...began,
    ...(reason !== undefined && { reason }),
    ...(until !== undefined && { until: until && new Date(until).toISOString() }),
  };
}

/** Whether all publishing is paused, as one human-readable line. */
export function pausedLine(pause: PublishingPause | null): string {
  return pause === null ? 'Publishing is not paused.' : pauseLine(pause);
}

/** A pause as one human-readable line. */
export function pauseLine({ reason, until, since }: PublishingPause): string {
  const why = reason === null ? '' : ` (${reason})`;
  return `All publishing is paused since ${since}${until === null ? '' : `, until ${until}`}${why}.`;
}
