import pino from 'pino';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { startTestPipeline } from '../../support/pipeline.ts';
import { makeVideo } from '../../support/videos.ts';

const line = z.looseObject({ msg: z.string(), publishJobId: z.string().optional() });

it('names the job in each line about one, and keeps what varies out of the message', async () => {
  const lines: z.infer<typeof line>[] = [];
  const log = pino({ level: 'trace' }, { write: (text: string) => void lines.push(line.parse(JSON.parse(text))) });
  const pipeline = await startTestPipeline({ log });
  const { publisher, simulator, folder } = pipeline;
  simulator.faults.add({ endpoint: 'inbox_init', act: { kind: 'status', httpStatus: 500 } });
  simulator.faults.add({
    endpoint: 'upload',
    when: { nth: 2 },
    act: { kind: 'fail_processing', failReason: 'spam_risk' },
  });
  const media = { type: 'file', path: await makeVideo(folder, 1_000) } as const;
  const jobs = await Promise.all([1, 2, 3].map(() => publisher.enqueue({ account: 'acme', mode: 'inbox', media })));
  await Promise.all(jobs.map(({ id }) => publisher.waitForCompletion(id, { timeoutMs: 90_000 })));

  const ids = jobs.map(({ id }) => id);
  expect(lines.filter(({ publishJobId = '' }) => !ids.includes(publishJobId))).toEqual([]);
  const messages = new Set(lines.map(({ msg }) => msg));
  expect([...messages]).toEqual(
    expect.arrayContaining(['attempt failed', 'post started', 'upload completed', 'publish job ended']),
  );
  expect([...messages].filter((message) => /\d/.test(message))).toEqual([]);
  expect(lines.find(({ msg }) => msg === 'post started')).toMatchObject({
    publishId: expect.stringContaining('v_inbox_file'),
    tiktokLogId: expect.stringMatching(/\w{10}/),
  });
});
