import pino from 'pino';
import { expect, it } from 'vitest';

import { eventually, PATIENTLY } from '../../support/eventually.ts';
import { startPipeline } from '../../support/pipeline.ts';
import { startProxiedRedis } from '../../support/proxied-redis.ts';
import { makeVideo } from '../../support/videos.ts';

const CHUNK_BYTES = 5_242_880;

interface Line {
  readonly level: number;
  readonly msg: string;
  readonly queue?: string;
  readonly reason?: string;
  readonly code?: string;
}

/** A log, and the lines it holds by their message. */
function readableLog() {
  const lines: Line[] = [];
  const log = pino({ level: 'warn' }, { write: (text: string) => void lines.push(JSON.parse(text)) });
  return { log, lines, of: (message: string) => lines.filter(({ msg }) => msg === message) };
}

it('a Redis that fails under an upload is told of once, without a stack, and burns no attempt', async (test) => {
  const { operator, proxy } = await startProxiedRedis(test);
  const { log, lines, of } = readableLog();
  const pipeline = await startPipeline({ redisUrl: `redis://127.0.0.1:${proxy.port}`, log });
  test.onTestFinished(() => pipeline.close());
  const { simulator, publisher, folder } = pipeline;
  simulator.faults.add({ endpoint: 'upload', when: { chunkIndex: 0 }, act: { kind: 'delay', ms: 1_000 } });
  const { id } = await publisher.enqueue({
    ...{ account: 'acme', mode: 'direct', media: { type: 'file', path: await makeVideo(folder, 2 * CHUNK_BYTES) } },
    post: { privacyLevel: 'SELF_ONLY' },
  });
  await simulator.journal.waitFor(({ endpoint }) => endpoint === 'video_init', PATIENTLY);
  // From now on it refuses every write.
  await operator.config('SET', 'min-replicas-to-write', '1');
  await eventually(() => of('failed to settle a step').length > 0);
  await eventually(() => of('worker error').length > 0);
  const reason = expect.stringContaining('too few connected replicas');
  const [line, ...others] = of('failed to settle a step');
  expect(line).toMatchObject({ publishJobId: id, code: 'REDIS_UNAVAILABLE', reason });
  expect(others).toEqual([]);
  expect(lines.filter((each) => each.level > 40 || 'err' in each)).toEqual([]);
  expect(await publisher.get(id)).toMatchObject({ state: 'uploading', attempts: 0, failure: null });
  await operator.config('SET', 'min-replicas-to-write', '0');
});
