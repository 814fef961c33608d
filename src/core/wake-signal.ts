/** Wakes one waiter, and keeps a notification that came while nobody waited. */
export function createWakeSignal() {
  let isNotified = false;
  let wake: (() => void) | undefined;
  return {
    notify(): void {
      isNotified = true;
      wake?.();
    },

    /** Resolves at the next notification, or at once if one came since the last wait. */
    async wait(): Promise<void> {
      if (!isNotified) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      isNotified = false;
      wake = undefined;
    },
  };
}
