import { type PublishingPause, parsePauseRequest } from '../core/publishing-pause.ts';
import type { PauseStore } from '../limits/publishing-pause.ts';
import { wakeJobs } from '../limits/wake-jobs.ts';
import { actorIn } from './actor.ts';
import type { ChangeDeps } from './change-job.ts';
import type { PauseOptions } from './publisher.ts';

/** How many jobs are woken at once; the sweep wakes the others. */
const WOKEN_AT_ONCE = 200;

type PauseDeps = ChangeDeps & { readonly publishingPause: PauseStore };

/** Holds back all that is not sent yet. @throws PublishError `INPUT_INVALID` */
export async function pausePublishing(
  { by, ...request }: PauseOptions,
  { publishingPause, clock }: PauseDeps,
): Promise<PublishingPause> {
  return await publishingPause.begin(parsePauseRequest(request, clock.now()), actorIn({ by }));
}

/** Lets all that was held back go on. */
export async function resumePublishing({ publishingPause, ...deps }: PauseDeps): Promise<void> {
  await publishingPause.end();
  await wakeJobs(await publishingPause.heldBefore(WOKEN_AT_ONCE), deps).catch(() => undefined);
}
