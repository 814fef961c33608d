import { pino } from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import { createQueues } from '../../../src/ledger/queues/queues.ts';
import { openTraces } from '../../../src/observability/otel-traces.ts';
import { closeRedis, connectRedis } from '../../../src/redis/connections.ts';
import { startQueueWorker } from '../../../src/workers/runtime/queue-worker.ts';
import { DEFAULT_RECOVERY } from '../../../src/workers/runtime/recovery.ts';
import { eventually } from '../../support/eventually.ts';
import { addRawEntry } from '../../support/plain-entries.ts';
import { freshPrefix, testRedisUrl } from '../../support/redis.ts';

const QUEUE = 'tiktok-publish';

it('an entry whose trace no one can read is run all the same, and so are those after it', async () => {
  const redis = await connectRedis({ kind: 'url', url: testRedisUrl() }, 'worker');
  onTestFinished(() => closeRedis(redis));
  const prefix = freshPrefix();
  const nobody = { url: 'http://127.0.0.1:9/v1/traces', serviceName: 'test', headers: {} };
  const traces = openTraces(nobody);
  onTestFinished(() => traces.close());
  const { telemetry } = traces;
  const queues = createQueues({ connection: redis, prefix, telemetry });
  onTestFinished(() => queues.close());
  const broken = ['{oops', '{"baggage":5}', 'null', '{"traceparent":{},"tracestate":[[]]}'];
  for (const [place, tm] of broken.entries()) {
    await addRawEntry({ redis, queues }, `text-${place}`, '{}', { opts: JSON.stringify({ tm }) });
    await addRawEntry({ redis, queues }, `option-${place}`, '{}', {
      opts: JSON.stringify({ telemetry: { metadata: tm } }),
    });
  }
  await addRawEntry({ redis, queues }, 'number', '{}', { opts: '{"tm":5}' });
  await queues.publish.add('publish', {}, { jobId: 'traced' });
  const seen = new Set<string | undefined>();
  const worker = startQueueWorker(
    {
      ...{ queue: QUEUE, concurrency: 2, stepOf: () => 'publish' },
      run: async ({ id }) => {
        seen.add(id);
        return { kind: 'done', result: { id: 'done' } };
      },
    },
    redis,
    {
      ...{ prefix, telemetry, log: pino({ level: 'silent' }) },
      settings: { recovery: DEFAULT_RECOVERY, retentionMs: 60_000 },
      measureStep: (_step, process) => process(),
    },
  );
  onTestFinished(() => worker.close());
  await eventually(() => expect(seen.size).toBe(2 * broken.length + 2));
  await eventually(async () => expect(await queues.publish.getCompletedCount()).toBe(2 * broken.length + 2));
  expect(worker.isRunning()).toBe(true);
});
