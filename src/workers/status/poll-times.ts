/** So many planned polls take about 10 MB at the most. */
const MOST_PLANNED = 100_000;

export type PollTimes = ReturnType<typeof createPollTimes>;

/** When this process planned to poll which job, to tell how late the polls are. Polls planned elsewhere are not known. */
export function createPollTimes() {
  const planned = new Map<string, number>();
  return {
    /** @param at ms since the epoch */
    plan(id: string, at: number): void {
      planned.delete(id);
      planned.set(id, at);
      const [oldest] = planned.size > MOST_PLANNED ? planned.keys() : [];
      if (oldest !== undefined) planned.delete(oldest);
    },

    /** @returns how late a poll is that is made now (ms); undefined where it was planned elsewhere or comes early */
    takeLag(id: string, now: number): number | undefined {
      const at = planned.get(id);
      planned.delete(id);
      return at === undefined || at > now ? undefined : now - at;
    },
  };
}
