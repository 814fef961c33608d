import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeEvent } from '../../src/core/publish-event.ts';
import { eventually } from '../support/eventually.ts';
import { fuzz } from '../support/fuzz-run.ts';
import { startTestPipeline } from '../support/pipeline.ts';
import { addRawEntry, directPost } from '../support/plain-entries.ts';
import { makeVideo } from '../support/videos.ts';

const NAMES = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'prototype',
  'length',
  'then',
  'data',
  'version',
];
const TEXTS = [
  '\r\n',
  '":"',
  '{a}',
  '\u001b[2J',
  '\u202e',
  '\ud800',
  '//@//@',
  'http://http://',
  '$&',
  '%s',
  '../..',
  ':lock',
];

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(...NAMES, ...TEXTS),
  fc
    .tuple(fc.constantFrom(...TEXTS, 'x', '9'), fc.integer({ min: 1, max: 10_000 }))
    .map(([part, times]) => part.repeat(times)),
);
const deep = fc
  .tuple(fc.integer({ min: 1, max: 20_000 }), fc.constantFrom(['[', ']'], ['{"a":', '}']))
  .map(([levels, [begin = '', end = '']]) => `${begin.repeat(levels)}1${end.repeat(levels)}`);
const anyValue = fc.oneof(
  fc.anything({ key: text, values: [text, fc.double(), fc.boolean(), fc.constant(null)] }),
  text,
);
/** A valid request, with any of its fields replaced. */
const nearlyRight = fc
  .tuple(
    fc.constantFrom('account', 'mode', 'media', 'post', 'metadata', 'scheduledAt', 'callbackUrl', 'version', 'sealed'),
    anyValue,
  )
  .map(([field, value]) => ({ ...directPost('/nowhere/a.mp4'), [field]: value }));

interface Entry {
  readonly id: string;
  /** JSON, as BullMQ's clients store it, or what is none. */
  readonly data: string;
  /** What BullMQ keeps besides, as another client may write it. */
  readonly fields: Readonly<Record<string, string>>;
}

const FIELDS = [
  ...['name', 'opts', 'timestamp', 'delay', 'priority', 'progress', 'ats', 'atm', 'stc', 'processedOn', 'returnvalue'],
  ...['parent', 'parentKey', 'rjk', 'deid', 'id', 'stacktrace', 'pb'],
];
/** What BullMQ's scripts and its worker read numbers and JSON of. */
const fieldText = fc.oneof(
  text,
  deep,
  fc.json(),
  fc.oneof(fc.double(), fc.bigInt()).map(String),
  fc.constantFrom(
    'null',
    '{oops',
    '9223372036854775807',
    '{"removeOnFail":true}',
    '{"removeOnFail":{"age":"x"}}',
    '{"repeatJobKey":"a"}',
    '{"delay":-1,"attempts":1e300}',
  ),
);

const entries: fc.Arbitrary<Entry> = fc.record({
  id: text,
  data: fc.oneof(
    deep,
    deep.map((levels) =>
      JSON.stringify({ ...directPost('/nowhere/a.mp4'), metadata: 0 }).replace('"metadata":0', `"metadata":${levels}`),
    ),
    fc.oneof(nearlyRight, anyValue).map((value) => JSON.stringify(value) ?? 'null'),
    fc.integer({ min: 1, max: 3_000_000 }).map((length) => JSON.stringify({ text: 'x'.repeat(length) })),
    text,
  ),
  fields: fc.oneof(fc.constant({}), fc.dictionary(fc.constantFrom(...FIELDS), fieldText, { maxKeys: 4 })),
});

it('ends whatever a plain BullMQ client adds, with its reason, and works on', { timeout: 3_600_000 }, async () => {
  const pipeline = await startTestPipeline();
  const { queues, redis, keys, publisher, folder, prefix } = pipeline;
  const foreign = `foreign:${prefix}`;
  await redis.set(foreign, 'untouched');
  let count = 0;
  await fuzz({
    what: 'entries of plain BullMQ clients',
    count: { short: 300, long: 20_000 },
    inputs: entries,
    parallel: 8,
    async attempt({ id, data, fields }) {
      count += 1;
      // Another entry with every attempt.
      const jobId = `${id}${/^\d+$/.test(id) ? '' : '-'}${count}`;
      await addRawEntry(pipeline, jobId, data, fields);
      const key = queues.publish.toKey(jobId);
      const ended = await eventually(async () => {
        const [finishedOn, failedReason, returned] = await redis.hmget(
          key,
          'finishedOn',
          'failedReason',
          'returnvalue',
        );
        // Its options may have it removed at its end.
        if (finishedOn === null && (await redis.exists(key)) === 0)
          return { failedReason: 'REMOVED: by itself', returned: null };
        if (finishedOn === null) throw new Error(`not ended: ${JSON.stringify({ jobId, data, fields }).slice(0, 500)}`);
        return { failedReason, returned };
      });
      if (ended.returned === null) expect(ended.failedReason).toMatch(/^[A-Z_]+: ./);
      expect(await redis.hstrlen(key, 'data')).toBeLessThanOrEqual(1_048_576);
      await redis.del(key);
    },
  });
  expect(await queues.publish.getJobCounts('active', 'wait')).toMatchObject({ active: 0, wait: 0 });
  expect(await redis.get(foreign)).toBe('untouched');
  await redis.del(foreign);
  for (const [, fields] of await redis.xrange(keys.events, '-', '+')) expect(decodeEvent(fields)).toBeDefined();
  const { id } = await publisher.enqueue(directPost(await makeVideo(folder, 1_000), 'after all that'));
  expect(await publisher.waitForCompletion(id, { timeoutMs: 90_000 })).toMatchObject({ state: 'published' });
});
