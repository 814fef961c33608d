import { isErrorCode } from '../../core/error-table.ts';
import { HttpProblem } from '../problem.ts';
import { nameOf } from '../v1/callers.ts';
import { SEEN_PATH } from './causes.ts';
import { OPERATE_ALL } from './console-page.ts';
import { type ConsoleParts, type ConsoleRoutes, required, textIn } from './console-routes.ts';
import { PAUSE_PATH, RESUME_PATH } from './pause-banner.ts';
import { utcTime } from './search-address.ts';

const NOTHING_SEEN = {
  status: 400,
  code: 'REQUEST_INVALID',
  detail: 'Open the page again: it names no such failures.',
};

/** Adds what operators say on *Now*: that they have seen failures, and that all publishing pauses or goes on. */
export function addNowActions({ action }: ConsoleRoutes, { seenFailures, audit }: ConsoleParts): void {
  action(SEEN_PATH, OPERATE_ALL, async (form, { caller }) => {
    const [code, until] = [required(form, 'code'), Date.parse(required(form, 'until'))];
    if (!isErrorCode(code) || !(until <= Date.now())) throw new HttpProblem(NOTHING_SEEN);
    const [by, at] = [nameOf(caller), new Date(until).toISOString()];
    const before = (await seenFailures.read()).get(code);
    await seenFailures.note(code, { at, by });
    await audit.add({
      ...{ action: 'failures.seen', by, subject: code, account: null },
      ...{ before: before === undefined ? null : { seenUntil: before.at }, after: { seenUntil: at } },
    });
    return { path: '/', done: 'seen' };
  });
  action(PAUSE_PATH, OPERATE_ALL, async (form, { publisher }) => {
    const until = textIn(form, 'until');
    await publisher.pause({ reason: textIn(form, 'reason') ?? null, until: until ? utcTime(until) : null });
    return { path: '/', done: 'all_paused' };
  });
  action(RESUME_PATH, OPERATE_ALL, async (_form, { publisher }) => {
    await publisher.resume();
    return { path: '/', done: 'all_resumed' };
  });
}
