import type { Command } from 'commander';
import { type ParsedFilter, parseJobFilter } from '../core/job-filter.ts';
import { withOptionNames } from './option-names.ts';
import { parseMetadata } from './option-values.ts';
import { parseTime } from './parse-time.ts';

/** What commander makes of the options of a filter. */
export interface FilterOptions {
  readonly account?: string;
  readonly state?: string;
  readonly code?: string;
  readonly waitingFor?: string;
  readonly media?: string;
  readonly createdFrom?: string;
  readonly createdBefore?: string;
  readonly endedFrom?: string;
  readonly endedBefore?: string;
  readonly scheduledFrom?: string;
  readonly scheduledBefore?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly idempotencyKey?: string;
  readonly publishId?: string;
  readonly postId?: string;
}

const TIMES = [
  ...['createdFrom', 'createdBefore', 'endedFrom', 'endedBefore', 'scheduledFrom', 'scheduledBefore'],
] as const satisfies readonly (keyof FilterOptions)[];

/** Adds the options by which jobs are found: a job meets all that are given. */
export function withFilter(command: Command): Command {
  return command
    .option('--account <name>', 'only jobs of this account')
    .option('--state <states>', 'only jobs in one of these states, such as failed,unconfirmed')
    .option('--code <codes>', 'only jobs that failed or are unconfirmed with one of these error codes')
    .option('--waiting-for <reasons>', 'only jobs that wait for one of these, such as daily_cap')
    .option('--media <types>', 'only jobs with media of one of these types: file, url, s3, pull, photos')
    .option('--created-from <time>', 'only jobs accepted at this time or later, such as -24h or "2026-12-01 10:00"')
    .option('--created-before <time>', 'only jobs accepted before this time')
    .option('--ended-from <time>', 'only jobs that ended at this time or later')
    .option('--ended-before <time>', 'only jobs that ended before this time')
    .option('--scheduled-from <time>', 'only jobs to be published at this time or later')
    .option('--scheduled-before <time>', 'only jobs to be published before this time')
    .option(
      '--metadata <key=value>',
      'only jobs with this metadata, by a key of METADATA_INDEX; may be repeated',
      parseMetadata,
    )
    .option('--idempotency-key <key>', 'only the job that was enqueued under this key')
    .option('--publish-id <id>', "only the job with this publish_id of TikTok's")
    .option('--post-id <id>', 'only the job that became this TikTok post');
}

/** Reads a filter. @throws PublishError `INPUT_INVALID` that names the options */
export async function filterOf(options: FilterOptions, now: number): Promise<ParsedFilter> {
  const { account, state, code, waitingFor, media, metadata, idempotencyKey, publishId, postId } = options;
  const times = Object.fromEntries(
    TIMES.flatMap((name) => (options[name] === undefined ? [] : [[name, parseTime(options[name], now)]])),
  );
  const given = { account, state, code, waitingFor, media, metadata, idempotencyKey, publishId, postId };
  return await withOptionNames(async () => parseJobFilter({ ...given, ...times }));
}
