import type { AccountProfile } from './accounts.ts';
import type { Answer } from './answers.ts';

/** The simulated consent page for a person: they choose who is logged in, and allow or decline. */
export function consentPage(url: URL, accounts: Iterable<AccountProfile>): Answer {
  const link = (answer: Readonly<Record<string, string>>, text: string) => {
    const query = new URLSearchParams({ ...Object.fromEntries(url.searchParams), ...answer });
    return `<li><a href="?${escapeHtml(query.toString())}">${escapeHtml(text)}</a></li>`;
  };
  const users = [...accounts].map(({ openId, nickname, username }) =>
    link({ open_id: openId }, `Allow, as ${nickname} (@${username})`),
  );
  const body = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>Simulated TikTok: consent</title>
<style>:root { color-scheme: light dark } body { font: 1rem/1.6 system-ui, sans-serif; max-width: 40rem; margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere }</style>
<h1>Simulated TikTok</h1>
<p>An app asks to post for you. Who are you?</p>
<ul>
${[...users, link({ new_user: '1' }, 'Allow, as a new user'), link({ error: 'access_denied' }, 'Decline')].join('\n')}
</ul>
</html>
`;
  return {
    httpStatus: 200,
    headers: { 'content-type': 'text/html; charset=utf-8', 'referrer-policy': 'no-referrer' },
    body,
  };
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
