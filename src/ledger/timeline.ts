import { z } from 'zod';
import type { TimelineEntry } from '../core/publish-job.ts';
import type { TimelineFact } from '../core/timeline-events.ts';
import type { LedgerRecord } from './record.ts';

/*
 * A job's timeline, oldest first. Its first entries are lines of the record's field `timeline`: the time (ms since the
 * epoch) and the fact as JSON. Once the next does not fit, an empty line ends them, and the others are JSON in a list of
 * their own, as all are that an earlier version wrote. That the job was accepted is known from the record alone.
 */

/** Redis packs a record whose fields are no longer than 1,024 bytes, where it is set up for us (hash-max-listpack-value). */
const MAX_LINES_BYTES = 1_000;
/** The list keeps the last ones. */
const MAX_LIST_LENGTH = 300;

/**
 * `withFacts(lines)` for scripts: what the field `timeline` of the record becomes with `arg.facts`, or nil if it stays
 * because they went to the list.
 */
export const TIMELINE_LUA = `
local function withFacts(lines)
  local isFull = lines and string.sub(lines, -1) == '\\n' or not lines and redis.call('EXISTS', key.timeline) == 1
  if not isFull then
    local longer = lines and { lines } or {}
    for _, fact in ipairs(arg.facts) do longer[#longer + 1] = arg.now .. ' ' .. fact end
    longer = table.concat(longer, '\\n')
    if #longer <= ${MAX_LINES_BYTES} then return longer end
  end
  for _, fact in ipairs(arg.facts) do
    redis.call('RPUSH', key.timeline, '{"at":"' .. arg.at .. '",' .. string.sub(fact, 2))
  end
  redis.call('LTRIM', key.timeline, -${MAX_LIST_LENGTH}, -1)
  if lines and not isFull then return lines .. '\\n' end
end
`;

/** A fact as the script takes it. @param operation that did it */
export function encodeFact(fact: TimelineFact, operation?: string): string {
  return JSON.stringify(operation === undefined ? fact : { ...fact, operation });
}

/** The field and value that begin a timeline; none where the record says it all. */
export function firstOfTimeline({ createdAt }: LedgerRecord, cause: TimelineFact): readonly string[] {
  const isPlain = cause.event === 'queued' && cause.by === undefined;
  return isPlain ? [] : ['timeline', `${createdAt} ${encodeFact(cause)}`];
}

const entrySchema = z.looseObject({ at: z.string(), event: z.string() });

/** @param lines the record's field @param list the entries that come after them */
export function decodeTimeline(
  { createdAt }: LedgerRecord,
  lines: string | undefined,
  list: readonly string[],
): TimelineEntry[] {
  const first = (lines ?? '').split('\n').filter((line) => line !== '');
  const stored = [...first.map(parseLine), ...list.map((entry): unknown => JSON.parse(entry))];
  const entries: TimelineEntry[] = stored.map((entry) => entrySchema.parse(entry));
  if (entries[0]?.event === 'queued') return entries;
  return [{ at: new Date(createdAt).toISOString(), event: 'queued' }, ...entries];
}

function parseLine(line: string): unknown {
  const end = line.indexOf(' ');
  return { at: new Date(Number(line.slice(0, end))).toISOString(), ...JSON.parse(line.slice(end)) };
}
