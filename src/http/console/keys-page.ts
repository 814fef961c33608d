import { type ApiKey, SCOPES } from '../../core/access.ts';
import { timeText } from '../../core/quantity-text.ts';
import type { CreatedKey } from '../access/api-keys.ts';
import { escapeHtml } from '../escape-html.ts';
import { nameOf } from '../v1/callers.ts';
import { keyNotFound } from '../v1/key-routes.ts';
import {
  ADMINISTER,
  type ConsolePage,
  checkFields,
  confirmedForm,
  listTable,
  type PageContext,
  shown,
  textField,
} from './console-page.ts';
import {
  type ConsoleParts,
  type ConsoleRoutes,
  chosenIn,
  type Form,
  listIn,
  required,
  textIn,
} from './console-routes.ts';
import { utcTime } from './search-address.ts';

const KEYS_PATH = '/keys';

/** Adds the API keys, and what operators may do with them. */
export function addKeys({ page, action }: ConsoleRoutes, { keys }: ConsoleParts): void {
  page(KEYS_PATH, ADMINISTER, async (_request, context) => keysPage(await keys.list(), context));
  action(KEYS_PATH, ADMINISTER, async (form, { caller }) =>
    createdPage(await keys.create(requestIn(form), nameOf(caller))),
  );
  action(`${KEYS_PATH}/revoke`, ADMINISTER, async (form, { caller }) => {
    if ((await keys.revoke(required(form, 'id'), nameOf(caller))) !== undefined)
      return { path: KEYS_PATH, done: 'revoked' };
    throw keyNotFound();
  });
}

function requestIn(form: Form) {
  const expiresAt = textIn(form, 'expiresAt');
  return {
    name: required(form, 'name'),
    scopes: chosenIn(form, 'scopes', SCOPES),
    accounts: listIn(form, 'accounts'),
    expiresAt: expiresAt && utcTime(expiresAt),
  };
}

function keysPage(keys: readonly ApiKey[], context: PageContext): ConsolePage {
  const list =
    keys.length === 0
      ? '<p>There are no keys but those of the setting API_KEYS, which may do everything. Create one for each app.</p>'
      : listTable(
          ['Name', 'May', 'Accounts', 'Created', 'Ends', 'Action'],
          keys.map((key) => keyCells(key, context)),
        );
  return { title: 'API keys', body: `${list}\n${newForm(context)}` };
}

function keyCells(
  { id, name, scopes, accounts, createdAt, createdBy, expiresAt }: ApiKey,
  context: PageContext,
): string[] {
  return [
    `<b>${shown(name)}</b>`,
    scopes.join(', '),
    accounts === null ? 'all' : shown(accounts.join(', ')),
    `${timeText(createdAt)}<br><small>by ${shown(createdBy)}</small>`,
    expiresAt === null ? 'never' : timeText(expiresAt),
    confirmedForm(
      context,
      { path: `${KEYS_PATH}/revoke`, label: 'Revoke', values: { id }, needs: ADMINISTER },
      `Requests with the key ${shown(name)} are refused from now on.`,
    ),
  ];
}

function newForm({ basePath }: PageContext): string {
  return `<h2>Create a key</h2>
<form method="post" action="${escapeHtml(basePath + KEYS_PATH)}"><div class="fields">
${textField('name', 'Name of who uses it', { extra: ' required maxlength="64"' })}
${textField('accounts', 'Only these accounts')}
${textField('expiresAt', 'Ends at (UTC)', { type: 'datetime-local' })}
${checkFields('scopes', 'What it may do', SCOPES, ['read', 'enqueue'])}
</div><p class="note">Without accounts: all. Separate accounts by commas. Without an end it works until it is revoked.</p><button>Create key</button></form>`;
}

function createdPage({ key, name }: CreatedKey): ConsolePage {
  return {
    title: `Key ${name}`,
    body: `<p>Copy the key now. It is stored only as a digest, and is never shown again.</p>
<p class="shown-once"><code>${escapeHtml(key)}</code></p>
<p>Send it as <code>Authorization: Bearer &lt;key&gt;</code>.</p>`,
  };
}
