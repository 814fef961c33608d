import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeTokens, encodeTokens } from '../../../src/accounts/account-record.ts';
import { refreshDueAt } from '../../../src/core/refresh-schedule.ts';
import { createSealer } from '../../../src/sealing/sealer.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

const life = fc
  .record({ grantedAt: fc.integer({ min: 0, max: 2e12 }), lifetimeMs: fc.integer({ min: 1, max: 400 * 24 * HOUR_MS }) })
  .map(({ grantedAt, lifetimeMs }) => ({ grantedAt, expiresAt: grantedAt + lifetimeMs, lifetimeMs }));
const random = fc.double({ min: 0, max: 1, noNaN: true });

describe('refreshDueAt', () => {
  it.each([
    ['two hours, drawn last', 2 * HOUR_MS, 0, 5 * MINUTE_MS],
    ['two hours, drawn first', 2 * HOUR_MS, 1, 35 * MINUTE_MS],
    ['four minutes, drawn last', 4 * MINUTE_MS, 0, MINUTE_MS],
    ['four minutes, drawn first', 4 * MINUTE_MS, 1, 2 * MINUTE_MS],
    ['a day, drawn first', 24 * HOUR_MS, 1, 6 * HOUR_MS + 5 * MINUTE_MS],
  ])('of a token that lives %s is so long before its end', (_, lifetimeMs, drawn, aheadMs) => {
    expect(refreshDueAt({ grantedAt: 1_000, expiresAt: 1_000 + lifetimeMs }, drawn)).toBe(1_000 + lifetimeMs - aheadMs);
  });

  it('is in the second half of every life, so that no token is replaced as soon as it comes', () => {
    fc.assert(
      fc.property(life, random, ({ grantedAt, expiresAt, lifetimeMs }, drawn) => {
        const dueAt = refreshDueAt({ grantedAt, expiresAt }, drawn);
        expect(dueAt).toBeGreaterThanOrEqual(grantedAt + lifetimeMs / 2);
        expect(dueAt).toBeLessThanOrEqual(expiresAt - Math.min(5 * MINUTE_MS, lifetimeMs / 4));
      }),
    );
  });

  it('comes earlier the higher the number that was drawn', () => {
    fc.assert(
      fc.property(life, random, random, (token, one, other) => {
        const [low, high] = [Math.min(one, other), Math.max(one, other)];
        expect(refreshDueAt(token, high)).toBeLessThanOrEqual(refreshDueAt(token, low));
      }),
    );
  });

  it('is five minutes before the end of a token whose life is not known', () => {
    expect(refreshDueAt({ grantedAt: undefined, expiresAt: HOUR_MS }, 0.7)).toBe(55 * MINUTE_MS);
  });
});

describe('what is stored of a token', () => {
  const sealer = createSealer([Buffer.alloc(32, 1)]);
  const tokens = { accessToken: 'act.1', expiresInSeconds: 7_200 };
  const stored = async (account: string) => {
    const fields = await encodeTokens({ account, tokens, grantedAt: 0, clientKey: undefined }, sealer);
    const pairs = fields.flatMap((field, index) => (index % 2 === 0 ? [[field, fields[index + 1]]] : []));
    return { openId: randomUUID(), ...Object.fromEntries(pairs) };
  };

  it('decides once when it is due, the same for whoever reads it', async () => {
    const hash = await stored('acme');
    const dueAtOf = async () => (await decodeTokens('acme', hash, sealer))?.refreshDueAt;
    const dueAt = await dueAtOf();
    expect(dueAt).toBeGreaterThan(HOUR_MS);
    expect(await Promise.all(Array.from({ length: 5 }, dueAtOf))).toEqual(Array(5).fill(dueAt));
  });

  it('spreads thousands of accounts that were added at once over half an hour', async () => {
    const perMinute = new Map<number, number>();
    for (let index = 0; index < 6_000; index += 1) {
      const minute = Math.floor(((await decodeTokens('a', await stored('a'), sealer))?.refreshDueAt ?? 0) / MINUTE_MS);
      perMinute.set(minute, (perMinute.get(minute) ?? 0) + 1);
    }
    // 200 a minute on average; 300 would be seven standard deviations off.
    expect(Math.max(...perMinute.values())).toBeLessThan(300);
    expect(perMinute.size).toBeGreaterThanOrEqual(30);
  });

  it('that lacks the time of its grant or a version with random digits still says when it is due', async () => {
    const { grantedAt, ...older } = await stored('acme');
    expect(grantedAt).toBe('0');
    expect((await decodeTokens('acme', older, sealer))?.refreshDueAt).toBe(115 * MINUTE_MS);
    const unusual = await decodeTokens('acme', { ...(await stored('acme')), version: 'x' }, sealer);
    expect(unusual?.refreshDueAt).toBe(115 * MINUTE_MS);
  });
});
