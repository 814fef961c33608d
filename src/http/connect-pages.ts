import type { ConsentOutcome } from '../accounts/connect-return.ts';
import type { CreatorInfo } from '../core/creator-rules.ts';
import type { PublishError } from '../core/publish-error.ts';
import { escapeHtml } from './escape-html.ts';
import type { HtmlPage } from './html-page.ts';

/** A page of connecting, and the HTTP status that it comes with. */
export interface ConnectPage extends HtmlPage {
  readonly status: number;
}

/** The page that says how a connection ended. */
export function outcomePage(outcome: ConsentOutcome, creator: CreatorInfo | undefined): ConnectPage {
  switch (outcome.kind) {
    case 'connected':
      return connectedPage(outcome, creator);
    case 'known_otherwise':
      return knownOtherwisePage(outcome);
    case 'declined':
      return declinedPage(outcome);
    case 'link_used':
      return invalidLinkPage();
    case 'failed':
      return failedPage(outcome.error);
  }
}

const AGAIN = '<p>Nothing was stored. To try again, open the link again.</p>';

type Connected = Extract<ConsentOutcome, { kind: 'connected' }>;

/** All went well; scopes that were not granted are named. */
function connectedPage(
  { account, wasKnown, granted, missing }: Connected,
  creator: CreatorInfo | undefined,
): ConnectPage {
  const known = wasKnown ? ' It had been connected before; its access was renewed.' : '';
  const grantedText =
    granted.length === 0
      ? ''
      : `<p>Granted: ${granted.map((scope) => `<code>${escapeHtml(scope)}</code>`).join(', ')}.</p>`;
  return {
    status: 200,
    title: 'Connected',
    body: `<p>The TikTok account ${creatorText(creator)}is connected as <b>${escapeHtml(account)}</b>.${known} You can close this page.</p>
${grantedText}${missing.map(missingText).join('\n')}`,
  };
}

function creatorText({ nickname, username }: Partial<CreatorInfo> = {}): string {
  const names = [nickname ?? '', username === undefined ? '' : `(@${username})`].filter((name) => name !== '');
  return names.length === 0 ? '' : `<b>${escapeHtml(names.join(' '))}</b> `;
}

const WITHOUT: Readonly<Record<string, string>> = {
  'video.publish': 'direct posts will fail',
  'video.upload': 'drafts to the inbox will fail',
};

function missingText(scope: string): string {
  return `<p><b>Not granted: <code>${escapeHtml(scope)}</code></b>, so ${WITHOUT[scope] ?? 'some requests will be refused'}.
To change this, ask for a new link, and leave all permissions switched on.</p>`;
}

/** The user is there under another name already. */
function knownOtherwisePage({ account, wanted }: { account: string; wanted: string }): ConnectPage {
  return {
    status: 409,
    title: 'Already connected',
    body: `<p>This TikTok account was already connected as <b>${escapeHtml(account)}</b>. That connection was refreshed.
It was not added as <b>${escapeHtml(wanted)}</b>. To use that name, first remove the other one. To connect a different
account, log in to that account at TikTok and open the link again.</p>`,
  };
}

/** The person said no, or TikTok did. */
function declinedPage({ tiktokCode, tiktokMessage }: { tiktokCode: string; tiktokMessage: string }): ConnectPage {
  const words = [tiktokCode, tiktokMessage].filter((part) => part !== '').join(': ');
  return {
    status: 400,
    title: 'Not connected',
    body: `<p>TikTok did not give access: ${escapeHtml(words)}</p>\n${AGAIN}`,
  };
}

/** What came back belongs to nothing that this browser began. */
export function stalePage(): ConnectPage {
  return {
    status: 400,
    title: 'Not connected',
    body: `<p>This browser has not started a connection in the last ten minutes, or the connection has already ended.
If you did start one, check that the browser accepts cookies, and that the link has the same host as the address to which TikTok redirects.</p>
${AGAIN}`,
  };
}

/** The link was used, is too old, or was altered. */
export function invalidLinkPage(): ConnectPage {
  return {
    status: 403,
    title: 'This link no longer works',
    body: '<p>The link was already used, has expired, or is incomplete. Ask its sender for a new link.</p>',
  };
}

/** Something that is not the person's doing, in the words of its code. */
function failedPage(error: PublishError): ConnectPage {
  const { details } = error;
  const [what = ''] = error.message.split('\n', 1);
  const problems = (details.problems ?? []).map(({ message }) => `<li>${escapeHtml(message)}</li>`).join('');
  const logText = details.tiktokLogId === undefined ? '' : `, TikTok log ${escapeHtml(details.tiktokLogId)}`;
  return {
    status: statusOf(error),
    title: 'Not connected',
    body: `<p>${escapeHtml(what)}</p>
${problems === '' ? '' : `<ul>${problems}</ul>`}
${AGAIN}
<p>If this error persists, report it to the sender of the link: <code>${error.code}</code>${logText}.</p>`,
  };
}

function statusOf({ code }: PublishError): number {
  if (code.startsWith('INPUT_')) return 409;
  return code.startsWith('CONFIG_') || code.startsWith('REDIS_') ? 503 : 502;
}
