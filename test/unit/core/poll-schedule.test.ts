import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_POLL_SCHEDULE, isPastDeadline, nextPollDelayMs } from '../../../src/core/poll-schedule.ts';
import { DAY_MS, MINUTE_MS, SECOND_MS } from '../../../src/core/units.ts';

const noJitter = { random: () => 0 };

describe('nextPollDelayMs', () => {
  it('asks quickly at first, then every half minute', () => {
    const delays = [0, 1, 2, 3, 4, 5, 20].map((pollsDone) =>
      nextPollDelayMs({ pollsDone, processingForMs: 0 }, noJitter),
    );
    expect(delays).toEqual([5_000, 7_500, 11_250, 16_875, 25_313, 30_000, 30_000]);
  });

  it('asks every five minutes after ten', () => {
    const at = (processingForMs: number) => nextPollDelayMs({ pollsDone: 30, processingForMs }, noJitter);
    expect(at(10 * MINUTE_MS - 1)).toBe(30 * SECOND_MS);
    expect(at(10 * MINUTE_MS)).toBe(5 * MINUTE_MS);
    expect(at(DAY_MS - 1)).toBe(5 * MINUTE_MS);
  });

  it('asks rarely while webhooks arrive, which tell sooner', () => {
    const delays = [0, 1, 2, 3, 20].map((pollsDone) =>
      nextPollDelayMs({ pollsDone, processingForMs: 0, awaitsWebhook: true }, noJitter),
    );
    expect(delays).toEqual([60_000, 120_000, 240_000, 300_000, 300_000]);
    const later = { pollsDone: 5, processingForMs: 10 * MINUTE_MS, awaitsWebhook: true };
    expect(nextPollDelayMs(later, noJitter)).toBe(15 * MINUTE_MS);
  });

  it('keeps all jobs of an account below 20 polls a minute together', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5_000 }), fc.nat(100), (openJobsOfAccount, pollsDone) => {
        const delayMs = nextPollDelayMs({ pollsDone, processingForMs: 0, openJobsOfAccount }, noJitter);
        expect((openJobsOfAccount * MINUTE_MS) / delayMs).toBeLessThanOrEqual(20);
      }),
    );
  });

  it('lengthens a delay by a fifth at most, and never shortens it', () => {
    fc.assert(
      fc.property(
        fc.nat(1_000),
        fc.nat(2 * DAY_MS),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (pollsDone, processingForMs, chance) => {
          const progress = { pollsDone, processingForMs };
          const planned = nextPollDelayMs(progress, noJitter);
          const delayMs = nextPollDelayMs(progress, { random: () => chance });
          expect(delayMs).toBeGreaterThanOrEqual(planned);
          expect(delayMs).toBeLessThanOrEqual(Math.ceil(planned * 1.2));
        },
      ),
    );
  });

  it('follows another schedule', () => {
    const schedule = { ...DEFAULT_POLL_SCHEDULE, firstMs: 10, maxMs: 20 };
    const delays = [0, 1, 2].map((pollsDone) =>
      nextPollDelayMs({ pollsDone, processingForMs: 0 }, { ...noJitter, schedule }),
    );
    expect(delays).toEqual([10, 15, 20]);
  });
});

describe('isPastDeadline', () => {
  it('gives TikTok a whole day', () => {
    expect(isPastDeadline(DAY_MS - 1)).toBe(false);
    expect(isPastDeadline(DAY_MS)).toBe(true);
    expect(isPastDeadline(100, { ...DEFAULT_POLL_SCHEDULE, giveUpAfterMs: 100 })).toBe(true);
  });
});
