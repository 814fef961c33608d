import { OPERATE_ALL } from './console-page.ts';
import type { ConsoleRoutes } from './console-routes.ts';
import { PAUSE_PATH, RESUME_PATH } from './pause-banner.ts';
import { utcTime } from './publishes-page.ts';

/** Adds what pauses all publishing, and what ends that. */
export function addPause({ action }: ConsoleRoutes): void {
  action(PAUSE_PATH, OPERATE_ALL, async (form, { publisher }) => {
    const [reason, until] = [form.get('reason') ?? '', form.get('until') ?? ''];
    await publisher.pause({ reason: reason === '' ? null : reason, until: until === '' ? null : utcTime(until) });
    return { path: '/', done: 'all_paused' };
  });
  action(RESUME_PATH, OPERATE_ALL, async (_form, { publisher }) => {
    await publisher.resume();
    return { path: '/', done: 'all_resumed' };
  });
}
