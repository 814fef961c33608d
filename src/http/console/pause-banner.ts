import type { PublishingPause } from '../../core/publishing-pause.ts';
import { timeText } from '../../core/quantity-text.ts';
import { escapeHtml } from '../escape-html.ts';
import { actionForm, may, OPERATE_ALL, type PageContext, shown, textField, WATCH } from './console-page.ts';

export const PAUSE_PATH = '/pause';
export const RESUME_PATH = '/resume';

/** Says on every page that all publishing is paused, with the way to end it. */
export function pauseBanner(pause: PublishingPause | null, context: PageContext): string {
  if (pause === null) return '';
  const { reason, until, since, by } = pause;
  // Who did it and why is for those who may look at all accounts, as in the API.
  const mayKnow = may(context, WATCH);
  const facts = [
    `since ${timeText(since)}`,
    ...(by === null || !mayKnow ? [] : [`by ${shown(by)}`]),
    until === null ? 'until somebody resumes' : `until ${timeText(until)}`,
  ];
  const why = reason === null || !mayKnow ? '' : ` Reason: ${shown(reason)}.`;
  const resume = actionForm(context, { path: RESUME_PATH, label: 'Resume all publishing', needs: OPERATE_ALL });
  return `<p><b>All publishing is paused</b> ${facts.join(', ')}.${why}</p>${resume}`;
}

/** The form that pauses all publishing; where it is paused, it gives the pause another reason and end. */
export function pauseForm(context: PageContext): string {
  if (!may(context, OPERATE_ALL)) return '';
  const label = context.pause === null ? 'Pause all publishing' : 'Change the pause';
  return `<details><summary>${label}…</summary>
<p>Nothing new is sent to TikTok. Uploads under way finish, and jobs are still accepted.</p>
<form method="post" action="${escapeHtml(context.basePath + PAUSE_PATH)}"><div class="fields">
${textField('reason', 'Reason', { value: context.pause?.reason ?? '', extra: ' maxlength="500"' })}
${textField('until', 'Ends at (UTC)', { value: context.pause?.until?.slice(0, 16) ?? '', type: 'datetime-local' })}
</div><p class="note">Without an end it lasts until somebody resumes.</p><button>${label}</button></form></details>`;
}
