import { ALL_ERROR_CODES } from '../../core/error-table.ts';
import { restOfHeadline } from '../../core/headline.ts';
import { type JobQuery, MEDIA_TYPES } from '../../core/job-filter.ts';
import { OPERATION_KINDS } from '../../core/operation.ts';
import type { PublishJob } from '../../core/publish-job.ts';
import { ALL_PUBLISH_STATES, WAIT_REASONS } from '../../core/publish-state.ts';
import { durationText } from '../../core/quantity-text.ts';
import type { JobPage } from '../../producers/publisher.ts';
import { escapeHtml } from '../escape-html.ts';
import { jobTitle, postName } from '../job-words.ts';
import {
  type ConsolePage,
  checkFields,
  choiceField,
  listTable,
  may,
  OPERATE,
  type PageContext,
  shown,
  stateBadge,
  textField,
} from './console-page.ts';
import { KIND_WORDS, PREVIEW_PATH } from './operations-page.ts';
import { jobLink } from './post-links.ts';
import { PUBLISH_PAGES_PATH } from './publish-page.ts';
import { type GivenQuery, hiddenFields, searchPath, TIMES } from './search-address.ts';

export interface SearchPage {
  readonly given: GivenQuery;
  /** Undefined: the search was refused, for these reasons. */
  readonly found: JobPage | undefined;
  readonly problems: readonly string[];
  /** By which metadata can be searched for. */
  readonly metadataKeys: readonly string[];
  /** Ms since the epoch. */
  readonly now: number;
}

const IDS = [
  ['idempotencyKey', 'Idempotency key'],
  ['publishId', 'publish_id'],
  ['postId', 'Post id'],
] as const satisfies (readonly [keyof JobQuery, string])[];

/** The list of publish jobs, with the search in its address. */
export function publishesPage(search: SearchPage, context: PageContext): ConsolePage {
  const { basePath } = context;
  const { found, problems } = search;
  const refusal = problems.map((problem) => `<p class="refused" role="alert">${shown(problem)}</p>`).join('\n');
  return {
    title: 'Publishes',
    status: found === undefined ? 400 : 200,
    body: `${refusal}\n${searchForm(search, basePath)}\n${found === undefined ? '' : foundHtml(search, found, context)}`,
  };
}

function searchForm({ given, metadataKeys }: SearchPage, basePath: string): string {
  const listed = (name: string) => given[name]?.split(',') ?? [];
  const more = [...TIMES, ...IDS].map(([name]) => name);
  const isOpen = more.some((name) => given[name] !== undefined) || given.media !== undefined;
  const metadata = metadataKeys.map((key) =>
    textField(`metadata.${key}`, `Metadata: ${key}`, { value: given[`metadata.${key}`] }),
  );
  const times = TIMES.map(([name, label]) =>
    textField(name, label, { type: 'datetime-local', value: given[name]?.slice(0, 16) }),
  );
  const codes = ALL_ERROR_CODES.map((code) => `<option value="${code}"></option>`).join('');
  return `<form method="get" action="${escapeHtml(basePath + PUBLISH_PAGES_PATH)}" role="search">
<div class="fields">
${textField('account', 'Account', { value: given.account })}
${textField('code', 'Error code', { value: given.code, extra: ' list="codes"' })}
${choiceField('waitingFor', 'Waits for', ['', ...WAIT_REASONS], given.waitingFor)}
${choiceField('order', 'Order', ['newest', 'oldest'], given.order ?? 'newest')}
${metadata.join('\n')}
${checkFields('state', 'State', ALL_PUBLISH_STATES, listed('state'))}
</div>
<datalist id="codes">${codes}</datalist>
<details${isOpen ? ' open' : ''}><summary>More filters</summary><div class="fields">
${choiceField('media', 'Media', ['', ...MEDIA_TYPES], given.media)}
${IDS.map(([name, label]) => textField(name, label, { value: given[name] })).join('\n')}
${times.join('\n')}
</div></details>
<p class="actions"><button>Search</button> <a href="${escapeHtml(basePath + PUBLISH_PAGES_PATH)}">Clear</a></p>
${metadataKeys.length === 0 ? '<p class="note">To search by metadata, name its keys in the setting METADATA_INDEX.</p>' : ''}
</form>`;
}

function foundHtml({ given, now }: SearchPage, { jobs, nextCursor, indexing }: JobPage, context: PageContext): string {
  const { basePath } = context;
  const { cursor, ...first } = given;
  const links = [
    cursor === undefined ? '' : `<a href="${searchPath(basePath, first)}">First page</a>`,
    nextCursor === null ? '' : `<a href="${searchPath(basePath, { ...first, cursor: nextCursor })}">Next page</a>`,
  ];
  const list =
    jobs.length > 0
      ? listTable(
          ['Publish', 'State', 'Now', 'Created'],
          jobs.map((job) => jobCells(job, now, basePath)),
        )
      : `<p>${emptyText(given, nextCursor)}</p>`;
  const note = indexing ? '<p class="note">Jobs of an older version are still being added to the search.</p>' : '';
  const operations = jobs.length === 0 ? '' : operationForm(given, context);
  return `${note}${list}\n<p class="actions">${links.join(' ')}</p>\n${operations}`;
}

/** What may be done to all jobs that a search finds: buttons that lead to the dry run. */
function operationForm(given: GivenQuery, context: PageContext): string {
  const { order: _, cursor: __, ...filter } = given;
  if (!may(context, OPERATE) || Object.keys(filter).length === 0) return '';
  const buttons = OPERATION_KINDS.map((kind) => `<button name="kind" value="${kind}">${KIND_WORDS[kind]}…</button>`);
  return `<form method="get" action="${escapeHtml(context.basePath + PREVIEW_PATH)}">${hiddenFields(filter)}
<p class="actions">All that this search finds: ${buttons.join(' ')} <small>The next page says what would happen.</small></p></form>`;
}

function emptyText({ order: _, ...filters }: GivenQuery, nextCursor: string | null): string {
  if (nextCursor !== null) return 'Nothing found so far. Go on with the next page.';
  if (Object.keys(filters).length > 0) return 'No publish job meets all of these. Leave a filter out.';
  return 'There are no publish jobs yet. Enqueue one with the API, the library, or <code>tiktok-publisher publish</code>.';
}

function jobCells(job: PublishJob, now: number, basePath: string): string[] {
  const [name, title] = [postName(job), jobTitle(job)];
  return [
    `${jobLink(job.id, name, basePath)}${name === title ? '' : `<br><small>${shown(title)}</small>`}`,
    stateBadge(job.state),
    `${shown(restOfHeadline(job))}${job.failure === null ? '' : `<br><small><code>${job.failure.code}</code></small>`}`,
    `<time datetime="${job.createdAt}" title="${job.createdAt}">${ageText(job.createdAt, now)}</time>`,
  ];
}

/** `5 min ago`. */
function ageText(iso: string, now: number): string {
  const ageMs = now - Date.parse(iso);
  return ageMs < 0 ? 'just now' : `${durationText(ageMs)} ago`;
}
