import type { PublishJob } from '../core/publish-job.ts';

/** What the process answers to its caller; part of the public surface. */
export const EXIT_CODES = {
  success: 0,
  /** The publish failed, or nobody can tell whether it was published. */
  publishFailed: 1,
  wrongUse: 2,
  /** A needed service or setting is missing. */
  unavailable: 3,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT_CODES)[keyof typeof EXIT_CODES];

/** The exit code for a job that somebody waited for. */
export function exitCodeOfJob(job: PublishJob): ExitCode {
  return job.state === 'published' || job.state === 'in_inbox' ? EXIT_CODES.success : EXIT_CODES.publishFailed;
}
