import type { PublishEvent } from '../core/publish-job.ts';

/** An entry of the events stream as Redis answers it. */
export type StreamEntry = readonly [id: string, fields: readonly string[]];

/** Whom an event is about: the job and its account, or the account alone. */
export function subjectsOf({ subject, data }: PublishEvent): string[] {
  return typeof data.account === 'string' ? [subject, data.account] : [subject];
}
