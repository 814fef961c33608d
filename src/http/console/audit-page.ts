import { AUDIT_ACTIONS, type AuditEntry } from '../../core/access.ts';
import { changeTexts } from '../../core/audit-change.ts';
import { DEFAULT_LISTED_JOBS } from '../../core/post-limits.ts';
import type { BoardJobs } from '../board-jobs.ts';
import { escapeHtml } from '../escape-html.ts';
import { preciseTimeText } from '../job-words.ts';
import {
  ADMINISTER,
  type ConsolePage,
  choiceField,
  listTable,
  type PageContext,
  shown,
  textField,
} from './console-page.ts';
import type { ConsoleParts, ConsoleRoutes } from './console-routes.ts';
import { operationPath } from './operations-page.ts';
import { postLinks } from './post-links.ts';
import { type GivenQuery, givenQuery } from './search-address.ts';

const AUDIT_PATH = '/audit';

interface Lines {
  readonly entries: readonly AuditEntry[];
  readonly nextCursor: string | null;
}

/** Adds the audit trail. */
export function addAudit(
  { page }: ConsoleRoutes,
  { audit, find }: Pick<ConsoleParts, 'audit'> & Pick<BoardJobs, 'find'>,
): void {
  page(AUDIT_PATH, ADMINISTER, async ({ query }, context) => {
    const given = givenQuery(query);
    const { account, subject, by, cursor } = given;
    const action = AUDIT_ACTIONS.find((each) => each === given.action);
    const lines = await audit.list({ account, subject, by, action }, { limit: DEFAULT_LISTED_JOBS, cursor });
    const ofJobs = lines.entries.filter(isOfJob).map(({ subject: id }) => id);
    return auditPage(lines, given, context, await postLinks(ofJobs, context.basePath, find));
  });
}

function auditPage(
  { entries, nextCursor }: Lines,
  given: GivenQuery,
  { basePath }: PageContext,
  postLink: (id: string) => string,
): ConsolePage {
  const { cursor: _, ...filter } = given;
  const path = escapeHtml(basePath + AUDIT_PATH);
  const next = escapeHtml(`?${new URLSearchParams({ ...filter, cursor: nextCursor ?? '' })}`);
  const empty = Object.keys(filter).length === 0 ? 'Nothing was changed yet.' : 'No line meets all of these.';
  const list =
    entries.length === 0
      ? `<p>${empty}</p>`
      : listTable(
          ['When', 'Who', 'What', 'Of', 'Change'],
          entries.map((entry) => cellsOf(entry, subjectHtml(entry, basePath, postLink))),
        );
  return {
    title: 'Audit trail',
    body: `<form method="get" action="${path}" role="search"><div class="fields">
${textField('by', 'Who', { value: given.by })}
${choiceField('action', 'What', ['', ...AUDIT_ACTIONS], given.action)}
${textField('account', 'Account', { value: given.account })}
${textField('subject', 'Job, account or id', { value: given.subject })}
</div><p class="actions"><button>Search</button> <a href="${path}">Clear</a></p></form>
${list}
${nextCursor === null ? '' : `<p><a href="${path}${next}">Next page</a></p>`}`,
  };
}

function cellsOf({ at, by, action, subject, account, before, after }: AuditEntry, of: string): string[] {
  return [
    preciseTimeText(at),
    shown(by),
    `<span class="what">${action}</span>`,
    `${of}${account === null || account === subject ? '' : `<br><small>${shown(account)}</small>`}`,
    changeTexts(before, after).map(shown).join('<br>'),
  ];
}

function isOfJob({ action }: AuditEntry): boolean {
  return action.startsWith('publish.');
}

/** What was changed, by what people know it by where there is such a thing. */
function subjectHtml(entry: AuditEntry, basePath: string, postLink: (id: string) => string): string {
  const { action, subject, before, after } = entry;
  if (isOfJob(entry)) return postLink(subject);
  if (action.startsWith('operation.')) {
    return `<a href="${escapeHtml(basePath + operationPath(subject))}">${shown(subject)}</a>`;
  }
  const { name, endpoint } = { ...before, ...after };
  return shown(String(name ?? endpoint ?? subject));
}
