import { randomBytes } from 'node:crypto';
import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { createPublisherFromConfig } from '../../../src/app/create-publisher.ts';
import { runCli } from '../../../src/cli/run-cli.ts';
import { loadConfig } from '../../../src/config/load-config.ts';
import { HOUR_MS } from '../../../src/core/units.ts';
import { PULL_REQUEST } from '../../support/api-site.ts';
import { freshPrefix, testRedisUrl } from '../../support/redis.ts';
import { capturedIo } from '../../unit/cli/captured-io.ts';

it('operations are previewed, started, followed and aborted', async () => {
  const env = {
    REDIS_URL: testRedisUrl(),
    QUEUE_PREFIX: freshPrefix(),
    ENCRYPTION_KEYS: randomBytes(32).toString('base64'),
  };
  const run = async (...args: string[]) => {
    const io = capturedIo({ env });
    const exitCode = await runCli(args, io);
    return { exitCode, ...io.printed() };
  };
  const publisher = createPublisherFromConfig(loadConfig(env));
  onTestFinished(() => publisher.close());
  const inHours = (hours: number) => new Date(Date.now() + hours * HOUR_MS).toISOString();
  await publisher.enqueueBulk([1, 3].map((hours) => ({ ...PULL_REQUEST, scheduledAt: inHours(hours) })));
  const filter = ['--account', 'acme', '--scheduled-before', '+2h'];
  const dry = await run('operations', 'reschedule', ...filter, '--shift', '-30m', '--dry-run');
  expect(dry.stdout).toMatch(
    /^1 job\n {2}1 move\nJOB +ACCOUNT +STATE +WAY +POST\n\S+ +acme +scheduled +move +spring\.mp4\n$/,
  );
  const refused = await run('operations', 'reschedule', ...filter, '--shift', '-3h', '--dry-run');
  expect(refused.stdout).toContain('1 refused: the scheduled time is in the past (INPUT_SCHEDULED_IN_PAST)');

  const started = await run('operations', 'cancel', ...filter, '--rate', '5', '--json');
  const { id } = z.looseObject({ id: z.string() }).parse(JSON.parse(started.stdout));
  expect((await run('operations', 'list')).stdout).toMatch(new RegExp(`${id} +cancel +running +being gathered`));
  const shown = await run('operations', 'show', id);
  expect(shown.stdout).toMatch(/^operation .*\nkind +cancel\nstate +running\nfilter +\{"account":\["acme"\]/);
  expect((await run('operations', 'abort', id)).stdout).toMatch(
    /state +aborted by command line[\s\S]*jobs +none touched/,
  );

  const none = await run('operations', 'show', 'nobody');
  expect([none.exitCode, none.stderr]).toEqual([2, expect.stringContaining('operations list')]);
  for (const [args, text] of [
    [['cancel'], 'filter: expected one condition or more'],
    [['retry', '--state', 'failed', '--limit', '5'], '--limit: only used with --dry-run'],
    [['reschedule', '--state', 'scheduled'], '--at: expected either a new time or a shift'],
    [['reschedule', '--state', 'scheduled', '--at', 'soon'], '--at: expected an ISO 8601 time'],
    [['reschedule', '--state', 'scheduled', '--shift', 'x'], 'Expected a duration'],
  ] as const) {
    const wrong = await run('operations', ...args);
    expect([wrong.exitCode, wrong.stderr]).toEqual([2, expect.stringContaining(text)]);
  }
});
