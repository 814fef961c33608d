import { z } from 'zod';
import { HttpProblem } from './problem.ts';

const queryValues = z.record(z.string(), z.union([z.string().transform((value) => [value]), z.array(z.string())]));

/** No list has as many entries, and Redis takes no numbers from 2⁵³ on. */
const MAX_NUMBER = 1_000_000_000;

/**
 * Refuses what Bull Board would take unread: broken percent codes, which it decodes once more, numbers that Redis does not take,
 * and the zero byte, which separates the parts of its own messages.
 *
 * @throws HttpProblem 400, which names the parameter
 */
export function refuseUnreadableQuery(query: unknown): void {
  for (const [name, values] of Object.entries(queryValues.parse(query)))
    for (const value of values) if (!isReadable(value)) throw new HttpProblem(unreadable(name));
}

function isReadable(value: string): boolean {
  if (value.includes('\0') || Math.abs(Number(value)) > MAX_NUMBER) return false;
  try {
    decodeURIComponent(value);
    return true;
  } catch {
    return false;
  }
}

function unreadable(name: string) {
  const detail = `The value of ${JSON.stringify(name.slice(0, 50))} in the query is neither a text nor a number up to ${MAX_NUMBER}.`;
  return { status: 400, code: 'REQUEST_INVALID', detail };
}
