/** Wakes one waiter, and keeps a ring that came while nobody waited. */
export function createBell() {
  let rung = false;
  let wake: (() => void) | undefined;
  return {
    ring(): void {
      rung = true;
      wake?.();
    },

    /** Resolves at the next ring, or at once if it rang since the last wait. */
    async rang(): Promise<void> {
      if (!rung) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      rung = false;
      wake = undefined;
    },
  };
}
