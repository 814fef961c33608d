import { AUDIT_ACTIONS, type AuditEntry } from '../../core/access.ts';
import { changeTexts } from '../../core/audit-change.ts';
import { DEFAULT_LISTED_JOBS } from '../../core/post-limits.ts';
import { escapeHtml } from '../escape-html.ts';
import { preciseTimeText } from '../job-words.ts';
import { publishPagePath } from '../publish-page.ts';
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
import { type GivenQuery, givenQuery } from './publishes-page.ts';

const AUDIT_PATH = '/audit';

interface Lines {
  readonly entries: readonly AuditEntry[];
  readonly nextCursor: string | null;
}

/** Adds the audit trail. */
export function addAudit({ page }: ConsoleRoutes, { audit }: ConsoleParts): void {
  page(AUDIT_PATH, ADMINISTER, async ({ query }, context) => {
    const given = givenQuery(query);
    const { account, subject, by, cursor } = given;
    const action = AUDIT_ACTIONS.find((each) => each === given.action);
    const lines = await audit.list({ account, subject, by, action }, { limit: DEFAULT_LISTED_JOBS, cursor });
    return auditPage(lines, given, context);
  });
}

function auditPage({ entries, nextCursor }: Lines, given: GivenQuery, { basePath }: PageContext): ConsolePage {
  const { cursor: _, ...filter } = given;
  const path = escapeHtml(basePath + AUDIT_PATH);
  const next = escapeHtml(`?${new URLSearchParams({ ...filter, cursor: nextCursor ?? '' })}`);
  const empty = Object.keys(filter).length === 0 ? 'Nothing was changed yet.' : 'No line meets all of these.';
  const list =
    entries.length === 0
      ? `<p>${empty}</p>`
      : listTable(
          ['When', 'Who', 'What', 'Of', 'Change'],
          entries.map((entry) => cellsOf(entry, basePath)),
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

function cellsOf({ at, by, action, subject, account, before, after }: AuditEntry, basePath: string): string[] {
  const name = shown(subject);
  const isOfJob = action.startsWith('publish.');
  return [
    preciseTimeText(at),
    shown(by),
    `<span class="what">${action}</span>`,
    `${isOfJob ? `<a href="${escapeHtml(basePath + publishPagePath(subject))}">${name}</a>` : name}${account === null || account === subject ? '' : `<br><small>${shown(account)}</small>`}`,
    changeTexts(before, after).map(shown).join('<br>'),
  ];
}
