import type { PublishJob } from '../core/publish-job.ts';
import { EXIT_CODES, type ExitCode } from './exit-codes.ts';

/** The exit code for a job that somebody waited for. */
export function exitCodeOfJob(job: PublishJob): ExitCode {
  return job.state === 'published' || job.state === 'in_inbox' ? EXIT_CODES.success : EXIT_CODES.publishFailed;
}
