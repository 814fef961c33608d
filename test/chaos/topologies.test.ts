import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, inject, it, type TestContext } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { makeVideo } from '../support/videos.ts';
import { isStanding } from './check-job.ts';
import { type Stage, startStage } from './stage.ts';
import { cutOff, partition, type TopologyKind } from './topologies/topology.ts';

const VIDEO_BYTES = 1_000;
const PAUSE_MS = 200;
const MOST_JOBS = 40;
const RECOVERY_MS = 45_000;

interface Accepted {
  readonly id: string;
  readonly openId: string;
}

/** A topology with two workers, and an application that enqueues one job after the other, each once. */
async function start({ onTestFinished }: Pick<TestContext, 'onTestFinished'>, topology: TopologyKind, workers = 2) {
  const stage = await startStage({ programs: inject('chaosPrograms'), topology });
  onTestFinished(() => stage.close());
  const path = await makeVideo(stage.folder, VIDEO_BYTES, 'a.mp4');
  const accounts: { name: string; openId: string }[] = [];
  for (let index = 0; index < MOST_JOBS; index += 1) {
    accounts.push({ name: `account-${index}`, openId: await stage.addAccount(`account-${index}`) });
  }
  const pids = await Promise.all(Array.from({ length: workers }, async () => (await stage.startReadyWorker()).pid));

  /** @returns the job if it was accepted */
  async function enqueue(): Promise<Accepted | undefined> {
    const account = accounts.shift();
    if (account === undefined) throw new Error('there are too few accounts');
    const post = { title: account.name, privacyLevel: 'SELF_ONLY' } as const;
    const request = { account: account.name, mode: 'direct', media: { type: 'file', path }, post } as const;
    return await stage.publisher.enqueue(request).then(
      ({ id }) => ({ id, openId: account.openId }),
      () => undefined,
    );
  }

  async function acceptedOne(): Promise<Accepted> {
    const job = await enqueue();
    if (job === undefined) throw new Error('the job was not accepted');
    return job;
  }

  /** Enqueues until something is over. @returns what was accepted */
  async function enqueueDuring(something: Promise<unknown>): Promise<Accepted[]> {
    const accepted: Promise<Accepted | undefined>[] = [];
    let isOver = false;
    const over = something.finally(() => {
      isOver = true;
    });
    while (!isOver && accounts.length > 1) {
      accepted.push(enqueue());
      await Promise.race([over, sleep(PAUSE_MS)]);
    }
    await over;
    return (await Promise.all(accepted)).filter((job) => job !== undefined);
  }

  async function healthy(): Promise<void> {
    await eventually(stage.topology.assertHealthy, { intervalMs: 100 });
  }

  return { ...stage, stage, pids, acceptedOne, enqueueDuring, healthy };
}

/** Each accepted job is published, and TikTok has one post of it. */
async function expectAllPublishedOnce(stage: Stage, accepted: readonly Accepted[]): Promise<void> {
  expect(accepted.length).toBeGreaterThan(0);
  const states = await Promise.all(
    accepted.map(
      async ({ id }) => (await stage.outcomeOf(id, RECOVERY_MS).catch((error: Error) => error.message)) ?? '',
    ),
  );
  const told = states.map((state) => (typeof state === 'string' ? state : state.state));
  expect(told).toEqual(accepted.map(() => 'published'));
  const standing = stage.simulator.journal.publishes().filter(isStanding);
  const counts = accepted.map(({ openId }) => standing.filter((publish) => publish.openId === openId).length);
  expect(counts).toEqual(accepted.map(() => 1));
}

describe('a master under Sentinel that freezes', () => {
  it('is replaced, and what it takes in when it wakes up is not taken for accepted', async (test) => {
    const { stage, topology, acceptedOne, enqueueDuring, healthy } = await start(test, 'sentinel');
    const master = await topology.master();
    master.freeze();
    await eventually(async () => (await topology.master()) !== master, { intervalMs: 100 });
    // Jobs go on while it is still away.
    const meanwhile = await eventually(acceptedOne, { intervalMs: 500 });
    await stage.outcomeOf(meanwhile.id, RECOVERY_MS);
    master.wake();
    const accepted = await enqueueDuring(healthy());
    await expectAllPublishedOnce(stage, [meanwhile, ...accepted]);
  });

  it('keeps to itself what is accepted while only clients can reach it', async (test) => {
    const { stage, topology, enqueueDuring, healthy } = await start(test, 'sentinel');
    const old = await topology.master();
    const heal = partition(topology, old, ['replica', 'sentinel'], 'black_hole');
    const isReplaced = eventually(async () => (await topology.master()) !== old, { intervalMs: 100 });
    const during = await enqueueDuring(isReplaced);
    heal();
    await healthy();
    const after = await enqueueDuring(sleep(1_000));
    await expectAllPublishedOnce(stage, [...during, ...after]);
  });
});

describe('a failover by command', () => {
  it.for(['sentinel', 'cluster'] as const)('(%s) loses nothing and doubles nothing', async (kind, test) => {
    const { stage, topology, enqueueDuring, healthy } = await start(test, kind);
    const accepted = await enqueueDuring(topology.failOver('plain').then(healthy));
    await expectAllPublishedOnce(stage, accepted);
  });
});

describe('a slot that moves to another master', () => {
  it('takes its jobs along while they are published', async (test) => {
    const { stage, topology, enqueueDuring, healthy } = await start(test, 'cluster');
    const before = await enqueueDuring(sleep(1_000));
    const during = await enqueueDuring(topology.moveSlot().then(healthy));
    await expectAllPublishedOnce(stage, [...before, ...during]);
  });
});

describe.concurrent('a worker whose connections all fall silent without an end', () => {
  it.for(['single', 'sentinel', 'cluster'] as const)('(%s) notices, and takes jobs again', async (kind, test) => {
    const { stage, topology, pids, enqueueDuring } = await start(test, kind, 1);
    cutOff(topology, pids[0] ?? 0, 'strand');
    const accepted = await enqueueDuring(sleep(500));
    await expectAllPublishedOnce(stage, accepted);
  });
});
