import { describe, expect, it, type TestContext } from 'vitest';
import { DEFAULT_RECOVERY } from '../../src/workers/runtime/recovery.ts';
import { PATIENTLY } from '../support/eventually.ts';
import { sha256OfFile } from '../support/videos.ts';
import { CHUNK_BYTES, claims, isTrapped, type Scene, startScene } from './scene.ts';
import { cutOff } from './topologies/topology.ts';
import type { Trap } from './traps.ts';

/** A scene that ends with its test; tests run side by side, since most of their time they wait for locks to run out. */
async function start(
  { onTestFinished }: Pick<TestContext, 'onTestFinished'>,
  options?: Parameters<typeof startScene>[0],
): Promise<Scene> {
  const scene = await startScene(options);
  onTestFinished(() => scene.close());
  return scene;
}

const kill = (step: string, moment: 'before' | 'after', nth = 1): Trap => ({ step, moment, nth, action: 'kill' });
const insideChunk = (nth: number, afterBytes: number, action: Trap['action']): Trap => ({
  ...{ step: 'put', moment: 'during', nth, afterBytes, action },
});
/** So slow that a test can act in the middle of a chunk. */
const slowChunk = (chunkIndex: number) =>
  ({ endpoint: 'upload', when: { chunkIndex }, act: { kind: 'slow_read', bytesPerSecond: 3_000_000 } }) as const;

describe.concurrent('an enqueuer that is killed', () => {
  it.for(['after', 'between'] as const)('(%s) loses nothing and, asked again, adds nothing', async (killed, test) => {
    const { worker, publisher, fileRequest, enqueueAndDie, outcomeOf, atTikTok } = await start(test);
    const request = await fileRequest(1_000);
    await enqueueAndDie({ request, idempotencyKey: 'order-1', killed });
    const { jobs } = await publisher.list({ account: 'acme' });
    expect(jobs).toMatchObject([{ state: 'queued' }]);
    const again = await publisher.enqueue(request, { idempotencyKey: 'order-1' });
    expect(again).toMatchObject({ id: jobs[0]?.id, created: false });
    await worker();
    expect(await outcomeOf(again.id)).toMatchObject({ state: 'published' });
    expect(atTikTok().posted).toBe(1);
  });
});

describe.concurrent('a worker that sleeps through a takeover', () => {
  it.for(['stop', 'block'] as const)('(%s) writes nothing and sends no further byte', async (action, test) => {
    const { worker, publisher, fileRequest, outcomeOf, atTikTok } = await start(test);
    // 4 MiB are whole pieces of the file, so nothing that was read before is left to send.
    const sleeper = await worker({ ...insideChunk(2, 4_194_304, action), blockMs: 10_000 });
    const { id } = await publisher.enqueue(await fileRequest());
    await sleeper.waitFor(isTrapped);
    const second = await worker();
    const ended = await outcomeOf(id);
    expect(ended).toMatchObject({ state: 'published', attempts: 0 });
    const before = atTikTok();
    expect(before).toMatchObject({ posted: 1, completeUploads: 1 });
    second.signal('SIGTERM');
    await second.ended;
    sleeper.signal('SIGCONT');
    // It is awake, and has settled what it was at, once it has done another job alone.
    const next = await publisher.enqueue(await fileRequest(1_000));
    expect(await outcomeOf(next.id)).toMatchObject({ state: 'published' });
    expect(await publisher.get(id)).toEqual(ended);
    expect(atTikTok().publishes[0]).toEqual(before.publishes[0]);
  });
});

describe.concurrent('a worker that sleeps between the intent of a pull and its init', () => {
  it('leaves the job unconfirmed, and nobody begins it a second time', async (test) => {
    const { worker, publisher, pullRequest, fileRequest, outcomeOf, atTikTok } = await start(test);
    const sleeper = await worker({ step: 'commit:init_sent', moment: 'after', nth: 1, action: 'stop' });
    const { id } = await publisher.enqueue(pullRequest());
    await sleeper.waitFor(isTrapped);
    const second = await worker();
    expect(await outcomeOf(id)).toMatchObject({ state: 'unconfirmed' });
    second.signal('SIGTERM');
    await second.ended;
    sleeper.signal('SIGCONT');
    const next = await publisher.enqueue(await fileRequest(1_000));
    expect(await outcomeOf(next.id)).toMatchObject({ state: 'published' });
    expect(await publisher.get(id)).toMatchObject({ state: 'unconfirmed' });
    const pulls = atTikTok().publishes.filter(({ source }) => source === 'PULL_FROM_URL');
    expect(pulls).toEqual([]);
  });
});

describe.concurrent('a worker that is cut off from Redis', () => {
  it.for(['refuse', 'black_hole'] as const)('(%s) stops sending before another one begins', async (kind, test) => {
    const { topology, simulator, worker, publisher, fileRequest, outcomeOf, atTikTok } = await start(test);
    // Chunks that buffers can't swallow, taken in so slowly that the proof of ownership runs out on the way.
    const chunkSizeBytes = 30_000_000;
    simulator.faults.add({ endpoint: 'upload', act: { kind: 'slow_read', bytesPerSecond: 5_000_000 } });
    const cutOffWorker = await worker(undefined, { chunkSizeBytes });
    const { id } = await publisher.enqueue(await fileRequest(2 * chunkSizeBytes));
    const { publishId = '' } = await simulator.journal.waitFor(({ endpoint }) => endpoint === 'video_init', PATIENTLY);
    await simulator.journal.waitForReceived(publishId, 1_000_000, PATIENTLY);
    const heal = cutOff(topology, cutOffWorker.pid, kind);
    const second = await worker(undefined, { chunkSizeBytes });
    const ended = await outcomeOf(id);
    expect(ended).toMatchObject({ state: 'published', attempts: 0 });
    second.signal('SIGTERM');
    await second.ended;
    heal();
    const next = await publisher.enqueue(await fileRequest(1_000));
    await cutOffWorker.waitFor(claims(next.id));
    expect(await outcomeOf(next.id)).toMatchObject({ state: 'published' });
    expect(await publisher.get(id)).toEqual(ended);
    const { publishes, puts } = atTikTok();
    expect(publishes).toMatchObject([{ completeUploads: 1 }, { completeUploads: 1 }]);
    // The first chunk of the one that was cut off stayed unfinished.
    expect(puts.filter(({ chunk }) => chunk?.accepted).map(({ fault }) => fault)).not.toContain('slow_read');
    const sentInVain = publishes[0]?.resentBytes ?? 0;
    expect(sentInVain).toBeGreaterThan(0);
    expect(sentInVain).toBeLessThan(chunkSizeBytes);
  });
});

describe.concurrent('a job that is cancelled while its worker sleeps', () => {
  it.for(['before', 'after'] as const)('%s it notes the last chunk ends as it says', async (moment, test) => {
    const { worker, publisher, fileRequest, outcomeOf, atTikTok } = await start(test);
    const sleeper = await worker({ step: 'commit:last_chunk_started', moment, nth: 1, action: 'stop' });
    const { id } = await publisher.enqueue(await fileRequest(1_000));
    await sleeper.waitFor(isTrapped);
    const cancelled = await publisher.cancel(id).catch((error: unknown) => error);
    sleeper.signal('SIGCONT');
    const next = await publisher.enqueue(await fileRequest(1_000));
    expect(await outcomeOf(next.id)).toMatchObject({ state: 'published' });
    if (moment === 'before') {
      expect(cancelled).toMatchObject({ state: 'cancelled' });
      expect(await publisher.get(id)).toMatchObject({ state: 'cancelled' });
      expect(atTikTok().posted).toBe(1);
    } else {
      expect(cancelled).toMatchObject({ code: 'JOB_NOT_CANCELLABLE' });
      expect(await outcomeOf(id)).toMatchObject({ state: 'published' });
      expect(atTikTok().posted).toBe(2);
    }
  });
});

describe.concurrent('a worker that is killed', () => {
  it('between the reply to init and its record begins afresh, and posts once', async (test) => {
    const { worker, publisher, fileRequest, outcomeOf, atTikTok } = await start(test);
    const first = await worker(kill('init', 'after'));
    const { id } = await publisher.enqueue(await fileRequest());
    expect(await first.ended).toMatchObject({ signal: 'SIGKILL' });
    await worker();
    expect(await outcomeOf(id)).toMatchObject({ state: 'published', attempts: 0 });
    const { publishes, posted, completeUploads } = atTikTok();
    expect(publishes.map(({ acceptedBytes }) => acceptedBytes > 0)).toEqual([false, true]);
    expect({ posted, completeUploads }).toEqual({ posted: 1, completeUploads: 1 });
  });

  it.for(['before', 'after'] as const)('%s a pull init is never followed by a second one', async (moment, test) => {
    const { worker, publisher, pullRequest, outcomeOf, atTikTok } = await start(test);
    const first = await worker(kill('init', moment));
    const { id } = await publisher.enqueue(pullRequest());
    await first.ended;
    await worker();
    const job = await outcomeOf(id);
    expect(job).toMatchObject({ state: 'unconfirmed', publishId: null, failure: { code: 'TIKTOK_LOST_INIT' } });
    expect(atTikTok().inits).toHaveLength(moment === 'before' ? 0 : 1);
  });

  it('inside a chunk is followed by another one that goes on from the accepted offset', async (test) => {
    const { worker, publisher, fileRequest, outcomeOf, atTikTok } = await start(test);
    const first = await worker(insideChunk(2, 3_000_001, 'kill'));
    const request = await fileRequest();
    const { id } = await publisher.enqueue(request);
    await first.ended;
    await worker();
    expect(await outcomeOf(id)).toMatchObject({ state: 'published', attempts: 0 });
    const { publishes, puts, resentBytes } = atTikTok();
    expect(publishes).toHaveLength(1);
    expect(puts.map(({ chunk }) => chunk?.startByte)).toEqual([0, CHUNK_BYTES, CHUNK_BYTES, 2 * CHUNK_BYTES]);
    expect(resentBytes).toBeLessThanOrEqual(CHUNK_BYTES);
    expect(publishes[0]?.sha256).toBe(request.media.type === 'file' ? await sha256OfFile(request.media.path) : '');
  });

  it.for(['before', 'after'] as const)('%s writing the outcome still tells it once', async (moment, test) => {
    const { worker, publisher, fileRequest, outcomeOf, eventsOf, atTikTok } = await start(test);
    const first = await worker(kill('commit:published', moment));
    const { id } = await publisher.enqueue(await fileRequest(1_000));
    await first.ended;
    await worker();
    expect(await outcomeOf(id)).toMatchObject({ state: 'published' });
    const types = (await eventsOf(id)).map(({ type }) => type);
    expect(types.filter((type) => type === 'publish.published')).toHaveLength(1);
    expect(atTikTok().posted).toBe(1);
  });

  it('is replaced within 15 seconds by default', async (test) => {
    const { worker, publisher, fileRequest, outcomeOf } = await start(test, { recovery: DEFAULT_RECOVERY });
    const first = await worker(insideChunk(1, 1_000_000, 'kill'));
    const { id } = await publisher.enqueue(await fileRequest());
    await first.waitFor(isTrapped);
    const killedAt = Date.now();
    const second = await worker();
    await second.waitFor(claims(id));
    expect(Date.now() - killedAt).toBeLessThan(15_000);
    expect(await outcomeOf(id)).toMatchObject({ state: 'published' });
  });
});

describe.concurrent('a reply that is lost', () => {
  it('of an init for our own bytes leads to a new init, and one post', async (test) => {
    const { simulator, worker, publisher, fileRequest, outcomeOf, atTikTok } = await start(test);
    simulator.faults.add({ endpoint: 'video_init', act: { kind: 'drop_after' } });
    await worker();
    const { id } = await publisher.enqueue(await fileRequest(1_000));
    expect(await outcomeOf(id)).toMatchObject({ state: 'published' });
    expect(atTikTok()).toMatchObject({ posted: 1, completeUploads: 1, inits: { length: 2 } });
  });

  it.for(['drop_before', 'drop_after', 'stall_after'] as const)(
    'of a pull init (%s) ends unconfirmed, with what to do, and is not repeated',
    async (kind, test) => {
      const { simulator, worker, publisher, pullRequest, outcomeOf, atTikTok } = await start(test);
      simulator.faults.add({ endpoint: 'video_init', act: { kind } });
      await worker();
      const { id } = await publisher.enqueue(pullRequest());
      const { state, failure } = await outcomeOf(id);
      expect({ state, code: failure?.code }).toEqual({ state: 'unconfirmed', code: 'TIKTOK_LOST_INIT' });
      expect(failure?.advice).not.toBe('');
      expect(atTikTok().inits).toHaveLength(1);
    },
  );

  it('of a pull init during a shutdown is not repeated by the next worker', async (test) => {
    const { simulator, worker, publisher, pullRequest, outcomeOf, atTikTok } = await start(test);
    simulator.faults.add({ endpoint: 'video_init', act: { kind: 'stall_after' } });
    const first = await worker(undefined, { shutdownTimeoutMs: 0 });
    const { id } = await publisher.enqueue(pullRequest());
    await simulator.journal.waitFor(({ endpoint }) => endpoint === 'video_init', PATIENTLY);
    first.signal('SIGTERM');
    expect(await first.ended).toEqual({ code: 0, signal: null });
    await worker();
    expect(await outcomeOf(id)).toMatchObject({ state: 'unconfirmed' });
    expect(atTikTok().inits).toHaveLength(1);
  });

  it('to a chunk in the middle costs at most that chunk', async (test) => {
    const { simulator, worker, publisher, fileRequest, outcomeOf, atTikTok } = await start(test);
    simulator.faults.add({ endpoint: 'upload', when: { chunkIndex: 1 }, act: { kind: 'drop_after' } });
    await worker();
    const { id } = await publisher.enqueue(await fileRequest());
    expect(await outcomeOf(id)).toMatchObject({ state: 'published' });
    const { posted, publishes, resentBytes } = atTikTok();
    expect({ posted, inits: publishes.length }).toEqual({ posted: 1, inits: 1 });
    expect(resentBytes).toBeLessThanOrEqual(CHUNK_BYTES);
  });

  it('to a chunk in the middle, followed by a kill, still leads to the same video', async (test) => {
    const { simulator, worker, publisher, fileRequest, outcomeOf, atTikTok } = await start(test);
    simulator.faults.add({ endpoint: 'upload', when: { chunkIndex: 0 }, act: { kind: 'drop_after' } });
    const first = await worker(insideChunk(3, 1_000_000, 'kill'));
    const { id } = await publisher.enqueue(await fileRequest());
    await first.ended;
    await worker();
    expect(await outcomeOf(id)).toMatchObject({ state: 'published', failure: null });
    expect(atTikTok()).toMatchObject({ posted: 1, completeUploads: 1, inits: { length: 1 } });
  });

  it('to the last chunk leads to a status question, not to another upload', async (test) => {
    const { simulator, worker, publisher, fileRequest, outcomeOf, atTikTok } = await start(test);
    simulator.faults.add({ endpoint: 'upload', when: { lastChunk: true }, act: { kind: 'drop_after' } });
    await worker();
    const { id } = await publisher.enqueue(await fileRequest());
    expect(await outcomeOf(id)).toMatchObject({ state: 'published' });
    const { posted, puts, resentBytes } = atTikTok();
    expect({ posted, puts: puts.length, resentBytes }).toEqual({ posted: 1, puts: 3, resentBytes: 0 });
  });
});

describe.concurrent('Redis', () => {
  it('may be killed and restarted during an upload', async (test) => {
    const { topology, simulator, worker, publisher, fileRequest, outcomeOf, atTikTok } = await start(test);
    const redis = await topology.master();
    simulator.faults.add(slowChunk(1));
    await worker();
    await worker();
    const { id } = await publisher.enqueue(await fileRequest());
    const { publishId = '' } = await simulator.journal.waitFor(({ endpoint }) => endpoint === 'video_init', PATIENTLY);
    await simulator.journal.waitForReceived(publishId, CHUNK_BYTES + 1_000_000, PATIENTLY);
    await redis.kill();
    // The upload has come to a stand still for want of proof, or to the end of its chunk.
    await simulator.journal.waitForReceived(publishId, 2 * CHUNK_BYTES - 2_000_000, PATIENTLY);
    await redis.start();
    expect(await outcomeOf(id)).toMatchObject({ state: 'published' });
    const { posted, completeUploads, publishes, resentBytes } = atTikTok();
    expect({ posted, completeUploads, inits: publishes.length }).toEqual({ posted: 1, completeUploads: 1, inits: 1 });
    expect(resentBytes).toBeLessThanOrEqual(CHUNK_BYTES);
  });
});

describe.concurrent('an access token', () => {
  it.for(['upload', 'status'] as const)('may expire when the job has reached %s', async (endpoint, test) => {
    const { simulator, worker, publisher, fileRequest, outcomeOf, atTikTok } = await start(test, {
      simulator: { processingMs: 1_000 },
    });
    await worker();
    const { id } = await publisher.enqueue(await fileRequest());
    const { openId = '' } = await simulator.journal.waitFor((entry) => entry.endpoint === endpoint, PATIENTLY);
    simulator.expireAccessToken(openId);
    expect(await outcomeOf(id)).toMatchObject({ state: 'published' });
    expect(simulator.journal.requests({ endpoint: 'status', code: 'access_token_invalid' })).toHaveLength(1);
    expect(simulator.journal.requests({ endpoint: 'token' })).toHaveLength(1);
    expect(atTikTok().posted).toBe(1);
  });
});

describe.concurrent('an upload URL', () => {
  it('that expires at half is replaced once TikTok says that nothing was published', async (test) => {
    let aheadMs = 0;
    const { simulator, worker, publisher, fileRequest, outcomeOf, atTikTok } = await start(test, {
      simulator: { clock: { now: () => Date.now() + aheadMs } },
    });
    await worker();
    const { id } = await publisher.enqueue(await fileRequest());
    await simulator.journal.waitFor(({ endpoint }) => endpoint === 'upload', PATIENTLY);
    aheadMs = 3_600_001;
    expect(await outcomeOf(id)).toMatchObject({ state: 'published' });
    const { inits, publishes, posted, completeUploads } = atTikTok();
    expect({ posted, completeUploads, inits: inits.length }).toEqual({ posted: 1, completeUploads: 1, inits: 2 });
    expect(publishes[0]?.acceptedBytes).toBeLessThan(publishes[0]?.totalBytes ?? 0);
    // Before the second init the first one's status was asked.
    const asked = simulator.journal.requests({ endpoint: 'status', publishId: publishes[0]?.publishId ?? '' });
    expect(asked[0]?.seq).toBeLessThan(inits[1]?.seq ?? 0);
  });
});

describe.concurrent('a refused range', () => {
  const readings = ['last-index', 'count'] as const;
  const tellings = ['progress', 'absent'] as const;
  const cases = readings.flatMap((reading) => tellings.map((telling) => ({ reading, telling })));

  it.for(cases)(
    'leads to the offset TikTok has ($reading, $telling in the 416)',
    async ({ reading, telling }, test) => {
      const { simulator, worker, publisher, fileRequest, outcomeOf, atTikTok } = await start(test, {
        simulator: { switches: { contentRangeReading: reading, contentRangeOn416: telling, repeatedChunk: '416' } },
      });
      simulator.faults.add({ endpoint: 'upload', when: { chunkIndex: 0 }, act: { kind: 'drop_after' } });
      await worker();
      const { id } = await publisher.enqueue(await fileRequest());
      expect(await outcomeOf(id)).toMatchObject({ state: 'published' });
      const { puts, publishes, posted, resentBytes } = atTikTok();
      expect({ posted, inits: publishes.length }).toEqual({ posted: 1, inits: 1 });
      expect(puts.map(({ httpStatus }) => httpStatus)).toEqual(['dropped', 416, 206, 201]);
      expect(resentBytes).toBeLessThanOrEqual(CHUNK_BYTES);
    },
  );
});

describe.concurrent('SIGTERM during a chunk', () => {
  it.for([
    { edge: 'the end of the chunk', shutdownTimeoutMs: 10_000, resentChunks: 0 },
    { edge: 'the deadline', shutdownTimeoutMs: 200, resentChunks: 1 },
  ])('hands the job back at $edge, exits 0 and burns no attempt', async ({ shutdownTimeoutMs, resentChunks }, test) => {
    const { simulator, worker, publisher, fileRequest, outcomeOf, atTikTok } = await start(test, {
      recovery: DEFAULT_RECOVERY,
    });
    simulator.faults.add(slowChunk(1));
    const first = await worker(undefined, { shutdownTimeoutMs });
    const { id } = await publisher.enqueue(await fileRequest());
    const { publishId = '' } = await simulator.journal.waitFor(({ endpoint }) => endpoint === 'video_init', PATIENTLY);
    await simulator.journal.waitForReceived(publishId, CHUNK_BYTES + 1_000_000, PATIENTLY);
    first.signal('SIGTERM');
    expect(await first.ended).toEqual({ code: 0, signal: null });
    expect(await publisher.get(id)).toMatchObject({ state: 'uploading', attempts: 0 });
    const startedAt = performance.now();
    await worker();
    expect(await outcomeOf(id)).toMatchObject({ state: 'published', attempts: 0 });
    // It was handed back, so nobody had to wait for a lock to run out.
    expect(performance.now() - startedAt).toBeLessThan(DEFAULT_RECOVERY.lockDurationMs);
    const { posted, puts, resentBytes } = atTikTok();
    expect(posted).toBe(1);
    expect(puts.length).toBeLessThanOrEqual(3 + resentChunks);
    expect(resentBytes).toBeLessThanOrEqual(resentChunks * CHUNK_BYTES);
  });
});

describe.concurrent('TikTok', () => {
  it('may not know the publish_id right after init', async (test) => {
    const { simulator, worker, publisher, fileRequest, outcomeOf, atTikTok } = await start(test, {
      simulator: { switches: { publishIdUnknownForMs: 1_500 } },
    });
    await worker();
    const { id } = await publisher.enqueue(await fileRequest(1_000));
    expect(await outcomeOf(id)).toMatchObject({ state: 'published' });
    expect(simulator.journal.requests({ code: 'invalid_publish_id' }).length).toBeGreaterThan(0);
    expect(atTikTok()).toMatchObject({ posted: 1, inits: { length: 1 } });
  });

  it('may not know it either when a killed worker is replaced', async (test) => {
    const { simulator, worker, publisher, fileRequest, outcomeOf, atTikTok } = await start(test);
    simulator.faults.add({
      endpoint: 'status',
      when: { times: 2 },
      act: { kind: 'status', httpStatus: 400, code: 'invalid_publish_id' },
    });
    const first = await worker(kill('commit:init_answered', 'after'));
    const { id } = await publisher.enqueue(await fileRequest());
    await first.ended;
    await worker();
    expect(await outcomeOf(id)).toMatchObject({ state: 'published' });
    expect(simulator.journal.requests({ code: 'invalid_publish_id' })).toHaveLength(2);
    expect(atTikTok()).toMatchObject({ posted: 1, completeUploads: 1, inits: { length: 1 } });
  });
});
