import { PublishError } from '../core/publish-error.ts';

/** Who asks. */
export interface ActorOptions {
  /** Named in the job's timeline: 1 to 100 characters, such as the person who clicked. */
  readonly by?: string | undefined;
}

const MAX_ACTOR_LENGTH = 100;

/** Who asks, for the timeline. @throws PublishError `INPUT_INVALID` */
export function actorIn({ by }: ActorOptions): string | undefined {
  if (by === undefined || (typeof by === 'string' && by.length >= 1 && by.length <= MAX_ACTOR_LENGTH)) return by;
  const message = `expected a text of 1 to ${MAX_ACTOR_LENGTH} characters`;
  throw new PublishError('INPUT_INVALID', { problems: [{ path: 'by', message }] });
}
