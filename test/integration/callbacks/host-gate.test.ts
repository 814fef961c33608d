import { afterEach, describe, expect, it } from 'vitest';
import { createHostGate } from '../../../src/callbacks/host-gate.ts';
import { startCallbackWorld } from './callback-world.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

describe('the gate before a host', () => {
  it('lets fewer deliveries through once the host was slow, and all that wait once it is quick again', async () => {
    const { redis, keys, queues, close } = await startCallbackWorld({ workers: false });
    closers.push(close);
    const woken: string[] = [];
    const gate = createHostGate({
      ...{ redis, keys, clock: Date },
      queues: {
        wakeEventEntry: async (id) => {
          woken.push(id);
          // The first one in line was taken by somebody else meanwhile.
          return id !== 'e-0';
        },
      },
    });
    const enterAll = () => Array.from({ length: 100 }, () => gate.enter('slow.test')).filter(Boolean).length;
    expect(enterAll()).toBe(25);
    expect(gate.enter('other.test')).toBe(true);
    for (let index = 0; index < 25; index += 1) await gate.leave('slow.test', 10_000);
    expect(enterAll()).toBe(5);
    expect(gate.hasLines()).toBe(false);
    for (let index = 0; index < 4; index += 1) await gate.waitFor('slow.test', `e-${index}`);
    expect(woken).toEqual([]);
    expect(gate.hasLine('slow.test')).toBe(true);
    expect(gate.hasLine('other.test')).toBe(false);
    await gate.leaveLine('slow.test', 'e-1');
    await gate.leave('slow.test', 10_000);
    expect(woken).toEqual(['e-0', 'e-2']);
    await gate.leave('slow.test', 100);
    expect(woken).toEqual(['e-0', 'e-2', 'e-3']);
    expect(gate.hasLines()).toBe(false);
    expect(enterAll()).toBe(22);
    expect(await queues.events.getJobCounts()).toMatchObject({ waiting: 0, delayed: 0 });
  });
});
