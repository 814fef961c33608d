import { afterEach, describe, expect, it } from 'vitest';
import { createDisabledUrls } from '../../../src/callbacks/disabled-urls.ts';
import { startCallbackWorld } from './callback-world.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

describe('a URL that answered 410', () => {
  it('gets events again after the retention period, and is disabled again by another 410', async () => {
    const { redis, keys, close } = await startCallbackWorld({ workers: false });
    closers.push(close);
    const url = 'https://receiver.test/hook?token=secret';
    let now = 1_000_000;
    const disabled = createDisabledUrls({ redis, keys, clock: { now: () => now }, retentionMs: 1_000 });
    await disabled.add(url);
    now += 999;
    expect(await disabled.has(url)).toBe(true);
    expect(await disabled.list()).toEqual([expect.objectContaining({ endpoint: 'https://receiver.test/hook' })]);
    now += 1;
    expect(await disabled.has(url)).toBe(false);
    expect(await disabled.list()).toEqual([]);
    await disabled.add(url);
    expect(await disabled.has(url)).toBe(true);
  });
});
