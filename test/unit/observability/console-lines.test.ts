import { expect, it } from 'vitest';
import { logConsoleLines, openLogger } from '../../../src/observability/logger.ts';

it('puts what libraries write to the console into the log, each text once and without logins', async () => {
  const lines: string[] = [];
  const stream = { write: (line: string) => void lines.push(line) };
  const log = await openLogger({ level: 'info', format: 'auto', stream });
  const { warn, error } = console;
  const giveBack = logConsoleLines(log);
  try {
    for (let connection = 0; connection < 3; connection += 1) {
      console.warn('IMPORTANT! Eviction policy is %s.\n It should be "noeviction"', 'allkeys-lru');
    }
    console.error('[ioredis] Unhandled error event:', new Error('no redis://user:confidential@127.0.0.1'));
  } finally {
    giveBack();
  }
  expect([console.warn, console.error]).toEqual([warn, error]);
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { level: 40, text: 'IMPORTANT! Eviction policy is allkeys-lru. It should be "noeviction"' },
    { level: 40, text: expect.stringContaining('[ioredis] Unhandled error event: Error: no redis://127.0.0.1') },
  ]);
  expect(lines.join()).not.toContain('confidential');
});
