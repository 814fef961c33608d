import type { JobQuery } from '../../core/job-filter.ts';
import { escapeHtml } from '../escape-html.ts';
import { PUBLISH_PAGES_PATH } from './publish-page.ts';

/** The parameters of a search in an address, by name. */
export type GivenQuery = Readonly<Record<string, string>>;

/** Fields of a search that are times. */
export const TIMES = [
  ['createdFrom', 'Created from (UTC)'],
  ['createdBefore', 'Created before (UTC)'],
  ['endedFrom', 'Ended from (UTC)'],
  ['endedBefore', 'Ended before (UTC)'],
  ['scheduledFrom', 'Scheduled from (UTC)'],
  ['scheduledBefore', 'Scheduled before (UTC)'],
] as const satisfies (readonly [keyof JobQuery, string])[];

/** The query of an address as the search takes it: without empty fields of the form, whose times are in UTC. */
export function givenQuery(query: unknown): GivenQuery {
  const given: Record<string, string> = {};
  for (const [name, value] of Object.entries(query ?? {})) {
    const text = [value]
      .flat()
      .filter((each) => each !== '')
      .join(',');
    if (text === '' || name === 'done') continue;
    given[name] = TIMES.some(([time]) => time === name) ? utcTime(text) : text;
  }
  return given;
}

const TO_MINUTES = '2026-12-01T10:00'.length;
const TO_SECONDS = '2026-12-01T10:00:00'.length;

/** What a browser's field of a time sends, as ISO 8601 in UTC; other texts as they are. */
export function utcTime(text: string): string {
  if (text.length === TO_MINUTES) return `${text}:00Z`;
  return text.length === TO_SECONDS ? `${text}Z` : text;
}

/** The address of the publishes that meet a filter, as HTML. */
export function searchPath(basePath: string, query: Readonly<Record<string, string>>): string {
  return escapeHtml(`${basePath}${PUBLISH_PAGES_PATH}?${new URLSearchParams(query)}`);
}

/** Values that go with a form. */
export function hiddenFields(values: GivenQuery): string {
  const fields = Object.entries(values).map(
    ([name, value]) => `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`,
  );
  return fields.join('');
}
