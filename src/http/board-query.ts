import { z } from 'zod';
import { isPercentEncoded } from '../core/percent-encoding.ts';
import { HttpProblem } from './problem.ts';

const queryValues = z.record(z.string(), z.union([z.string().transform((value) => [value]), z.array(z.string())]));

/** No list has as many entries, and Redis takes no numbers from 2⁵³ on. */
const MAX_NUMBER = 1_000_000_000;
/** As many entries as Bull Board's own page asks for at most. It would read all of a queue into memory. */
const MAX_PAGE_SIZE = 300;

/**
 * Refuses what Bull Board would take unread: broken percent codes, which it decodes once more, numbers that Redis does not take,
 * pages of any size, and the zero byte, which separates the parts of its own messages.
 *
 * @throws HttpProblem 400, which names the parameter
 */
export function refuseUnreadableQuery(query: unknown): void {
  for (const [name, values] of Object.entries(queryValues.parse(query)))
    for (const value of values) {
      const most = name === 'jobsPerPage' ? MAX_PAGE_SIZE : MAX_NUMBER;
      if (!isReadable(value, most)) throw new HttpProblem(unreadable(name, most));
    }
}

function isReadable(value: string, most: number): boolean {
  return !value.includes('\0') && !(Math.abs(Number(value)) > most) && isPercentEncoded(value);
}

function unreadable(name: string, most: number) {
  const detail = `The value of ${JSON.stringify(name.slice(0, 50))} in the query is neither a text nor a number up to ${most}.`;
  return { status: 400, code: 'REQUEST_INVALID', detail };
}
