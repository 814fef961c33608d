import type { PublishError } from '../core/publish-error.ts';
import { escapeHtml, type HtmlPage } from './html-page.ts';

/** What the owner of a TikTok account sees in the end. */
export interface ConnectPage extends HtmlPage {
  readonly status: number;
}

const AGAIN = '<p>Nothing was stored. Open the link again to try once more.</p>';

/** All went well; scopes that were not granted are named. */
export function connectedPage(outcome: { account: string; granted: string[]; missing: string[] }): ConnectPage {
  const { account, granted, missing } = outcome;
  const grantedText =
    granted.length === 0
      ? ''
      : `<p>Granted: ${granted.map((scope) => `<code>${escapeHtml(scope)}</code>`).join(', ')}.</p>`;
  return {
    status: 200,
    title: 'Connected',
    body: `<p>The TikTok account is connected as <b>${escapeHtml(account)}</b>. You can close this page.</p>
${grantedText}${missing.map(missingText).join('\n')}`,
  };
}

const WITHOUT: Readonly<Record<string, string>> = {
  'video.publish': 'nothing can be posted directly',
  'video.upload': 'no draft can be sent to the inbox',
};

function missingText(scope: string): string {
  return `<p><b>Not granted: <code>${escapeHtml(scope)}</code></b>, so ${WITHOUT[scope] ?? 'something will be refused'}.
To change that, open the link again and leave everything switched on.</p>`;
}

/** The user is there under another name already. */
export function knownOtherwisePage({ account, wanted }: { account: string; wanted: string }): ConnectPage {
  return {
    status: 409,
    title: 'Connected before',
    body: `<p>This TikTok account is connected as <b>${escapeHtml(account)}</b> already, and that was renewed now.
It was not added as <b>${escapeHtml(wanted)}</b>. To give it that name, remove the other one first; to connect another
account, log in to that one at TikTok and open the link again.</p>`,
  };
}

/** The person said no, or TikTok did. */
export function declinedPage({
  tiktokCode,
  tiktokMessage,
}: {
  tiktokCode: string;
  tiktokMessage: string;
}): ConnectPage {
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
    body: `<p>This page belongs to no connection that this browser has begun in the last ten minutes, or to one that is over.
If that can't be, check that the browser accepts cookies and that the link has the address that TikTok leads back to.</p>
${AGAIN}`,
  };
}

/** The link was altered, or is too old. */
export function invalidLinkPage(): ConnectPage {
  return {
    status: 403,
    title: 'This link does not work any more',
    body: '<p>It is older than a day, or not complete. Ask whoever sent it for a new one.</p>',
  };
}

/** Something that is not the person's doing, in the words of its code. */
export function failedPage(error: PublishError): ConnectPage {
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
<p>If it stays, tell whoever sent the link: <code>${error.code}</code>${logText}.</p>`,
  };
}

function statusOf({ code }: PublishError): number {
  if (code.startsWith('INPUT_')) return 409;
  return code.startsWith('CONFIG_') || code.startsWith('REDIS_') ? 503 : 502;
}
