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
