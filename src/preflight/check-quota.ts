import { findingOf } from '../core/preflight-finding.ts';
import { CHECKED, type PartReport } from '../core/preflight-report.ts';
import type { PublishRequest } from '../core/publish-request.ts';
import { SECOND_MS } from '../core/units.ts';

/** How much of TikTok's limits is used up. */
export interface PreflightQuota {
  /** How long the next init of an account must wait (ms); 0: not at all. */
  initWaitMs(account: string, endpoint: 'direct_init' | 'inbox_init' | 'photo_init'): Promise<number>;
  /** Direct posts that were begun for an account within a day. */
  postsLastDay(account: string): Promise<number>;
  /** Until when the app's cap holds an account back (ms since the epoch). */
  heldBackUntil(account: string): Promise<number | undefined>;
}

/** "about 15 posts per day" for a creator (developers.tiktok.com/doc/content-sharing-guidelines, read 2026-11-22). */
const POSTS_A_DAY = 15;

/** Looks for limits at which a request's job would wait. They never refuse it. */
export async function checkQuota(
  { media, mode }: PublishRequest,
  account: string,
  quota: PreflightQuota,
): Promise<PartReport> {
  const waitMs = await quota.initWaitMs(account, media.type === 'photos' ? 'photo_init' : `${mode}_init`);
  const warning = {
    severity: 'warn',
    field: 'account',
    advice: 'Nothing to do: the job waits automatically.',
  } as const;
  const findings = [];
  if (waitMs > 0) {
    const found = `6 posts already started; the next one can start in ${Math.ceil(waitMs / SECOND_MS)} s`;
    findings.push(findingOf('TIKTOK_RATE_LIMITED', { ...warning, limit: 'at most 6 posts started per minute', found }));
  }
  if (mode === 'direct') {
    const posts = await quota.postsLastDay(account);
    if (posts >= POSTS_A_DAY) {
      const limit = `about ${POSTS_A_DAY} posts of a creator in 24 hours`;
      findings.push(findingOf('TIKTOK_DAILY_POST_CAP', { ...warning, limit, found: String(posts) }));
    }
    const until = await quota.heldBackUntil(account);
    if (until !== undefined) {
      const found = `an account that must wait until ${new Date(until).toISOString()}`;
      findings.push(
        findingOf('TIKTOK_ACTIVE_USER_CAP', {
          ...warning,
          limit: 'the app below its limit of posting accounts',
          found,
        }),
      );
    }
  }
  return { findings, part: CHECKED };
}
