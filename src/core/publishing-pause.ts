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
    reason: z.string().min(1).max(500).optional().meta({ description: 'Why, for people; at most 500 characters.' }),
    until: isoTime.optional().meta({
      description: 'When the pause ends by itself, with a time zone. Without it, it lasts until `resume`.',
      examples: ['2026-12-01T10:00:00Z'],
    }),
  })
  .meta({
    id: 'PauseRequest',
    description: 'How to pause all publishing.',
    examples: [{ reason: 'TikTok is down', until: '2026-12-01T10:00:00Z' }],
  });

/** How to pause all publishing. */
export type PauseRequest = z.infer<typeof pauseRequestSchema>;

/** @throws PublishError `INPUT_INVALID`, also for an end that is over */
export function parsePauseRequest(input: unknown, now: number): PauseRequest {
  const result = pauseRequestSchema.safeParse(input);
  const problems = result.success ? [] : toInputProblems(result.error.issues, 'pause');
  if (result.data?.until !== undefined && Date.parse(result.data.until) <= now) {
    problems.push({ path: 'until', message: 'expected a time that is to come' });
  }
  if (!result.success || problems.length > 0) throw new PublishError('INPUT_INVALID', { problems });
  return result.data;
}

/** A pause as one human-readable line. */
export function pauseLine({ reason, until, since }: PublishingPause): string {
  const why = reason === null ? '' : ` (${reason})`;
  return `All publishing is paused since ${since}${until === null ? '' : `, until ${until}`}${why}.`;
}
