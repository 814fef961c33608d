import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { runCli } from '../../../src/cli/run-cli.ts';
import { startApi } from '../../support/api-site.ts';
import { freshPrefix, testRedisUrl } from '../../support/redis.ts';
import { capturedIo } from '../../unit/cli/captured-io.ts';

const URL_WITH_TOKEN = 'https://app.example.com/events?token=of-the-receiver';
const Made = z.looseObject({ id: z.string() });

it('subscriptions are created, listed, tried and deleted on the command line', async () => {
  const env = {
    REDIS_URL: testRedisUrl(),
    QUEUE_PREFIX: freshPrefix(),
    ENCRYPTION_KEYS: randomBytes(32).toString('base64'),
  };
  const run = async (...args: string[]) => {
    const io = capturedIo({ env });
    const exitCode = await runCli(['subscriptions', ...args], io);
    return { exitCode, ...io.printed() };
  };
  const created = await run('create', URL_WITH_TOKEN, '--type', 'publish.failed', '--account', 'acme', '--json');
  const { id } = Made.parse(JSON.parse(created.stdout));
  const listed = await run('list');
  expect(listed.stdout).toMatch(new RegExp(`${id} +https://app.example.com/events +publish.failed of acme`));
  expect(created.stdout + listed.stdout).not.toContain('of-the-receiver');
  expect((await run('test', id)).stdout).toContain(`subscriptions list ${id}`);
  expect((await run('delete', id)).stdout).toContain('https://app.example.com/events gets no more events.');
  for (const command of ['delete', 'test', 'list']) {
    const again = await run(command, id);
    expect([command, again.exitCode, again.stderr]).toEqual([
      command,
      2,
      expect.stringContaining('subscriptions list'),
    ]);
  }
});

it('subscriptions are created, shown, tried and deleted over REST, and leave their lines in the audit trail', async () => {
  const api = await startApi();
  const made = await api.call('POST', '/v1/subscriptions', { url: URL_WITH_TOKEN });
  expect(made).toMatchObject({ status: 201, body: { endpoint: 'https://app.example.com/events', types: null } });
  const { id } = Made.parse(made.body);
  const list = await api.call('GET', '/v1/subscriptions');
  expect(list.body).toMatchObject({ subscriptions: [{ id, createdBy: 'this machine' }] });
  expect((await api.call('POST', `/v1/subscriptions/${id}/test`)).status).toBe(202);
  expect((await api.call('GET', `/v1/subscriptions/${id}`)).body).toMatchObject({ id, attempts: [] });
  expect((await api.call('DELETE', `/v1/subscriptions/${id}`)).body).toMatchObject({ id });
  for (const [method, path] of [
    ['GET', `/v1/subscriptions/${id}`],
    ['DELETE', `/v1/subscriptions/${id}`],
    ['POST', `/v1/subscriptions/${id}/test`],
  ] as const) {
    expect(await api.call(method, path)).toMatchObject({ status: 404, body: { code: 'SUBSCRIPTION_NOT_FOUND' } });
  }
  const audit = await api.call('GET', '/v1/audit');
  expect(audit.body).toMatchObject({
    entries: ['delete', 'test', 'create'].map((action) => ({ action: `subscription.${action}`, subject: id })),
  });
  expect(audit.text).not.toContain('of-the-receiver');
});
