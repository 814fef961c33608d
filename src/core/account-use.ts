import type { PublishState, WaitReason } from './publish-state.ts';

/** How much of TikTok's limits an account has used, and how many of its jobs are in line. */
export interface AccountUse {
  /** Direct posts that were begun in the last 24 hours, and about how many TikTok allows. */
  readonly posts: number;
  readonly postsADay: number;
  /** Calls that were booked in the window of each quota, only of those in which there are any. */
  readonly calls: readonly { readonly endpoint: string; readonly used: number; readonly limit: number }[];
  /** Jobs that wait for their turn, and that have it. */
  readonly waiting: number;
  readonly admitted: number;
}

/** How the jobs of an account stand, by a look that costs the same however many there are. */
export interface AccountJobs {
  /** How many of them it looked at, the newest, and how many of these failed or are unconfirmed. */
  readonly newestCount: number;
  readonly failedCount: number;
  /** How many wait for their turn, or because their account or all publishing is held back. */
  readonly waitingCount: number;
  /** What all of them wait for; undefined: only for their turn. */
  readonly waitsFor: WaitReason | undefined;
  /** The newest that ended. */
  readonly ended: readonly { readonly id: string; readonly state: PublishState; readonly endedAt: string }[];
}
