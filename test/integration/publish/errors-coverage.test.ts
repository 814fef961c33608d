import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ERROR_TABLE } from '../../../src/core/error-table.ts';

const ROOT = new URL('../../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8');
const names = (text: string, code: string): boolean => text.includes(`'${code}'`);

const OWN_NAME = 'errors-coverage.test.ts';
const FOLDER = 'test/integration/publish/';
const suite = readdirSync(new URL(FOLDER, ROOT))
  .filter((file) => /^errors-.*\.test\.ts$/.test(file) && file !== OWN_NAME)
  .map((file) => read(`${FOLDER}${file}`))
  .join('\n');

/** Codes that no job and no call of the library ends with, and the test that meets them. */
const COVERED_ELSEWHERE: Record<string, string> = {
  // Renewed silently; here the journal shows the refusal, and the job shows nothing.
  AUTH_TOKEN_INVALID: 'test/simulator/tiktok-client.test.ts',
  INPUT_SCHEDULED_IN_PAST: 'test/integration/publish/past-times.test.ts',
  JOB_NOT_CHANGEABLE: 'test/integration/publish/update.test.ts',
  JOB_OVERDUE: 'test/integration/publish/not-after.test.ts',
  OPERATION_NOT_FOUND: 'test/integration/producers/operations.test.ts',
  OPERATION_LIMIT: 'test/integration/producers/operations.test.ts',
  JOB_NOT_CANCELLABLE: 'test/integration/publish/cancel-retry.test.ts',
  JOB_NOT_RETRYABLE: 'test/integration/publish/cancel-retry.test.ts',
  CONFIG_INVALID: 'test/unit/config/load-config.test.ts',
  CONFIG_SEALING_KEY_MISSING: 'test/integration/producers/request-secrets.test.ts',
  CONFIG_PULL_ADDRESS_MISSING: 'test/integration/publish/pull-gateway.test.ts',
  CONFIG_PORT_TAKEN: 'test/integration/http/web-server.test.ts',
  EVENTS_CURSOR_LOST: 'test/integration/producers/events.test.ts',
  REDIS_UNAVAILABLE: 'test/integration/redis/connections.test.ts',
  REDIS_NOT_REPLICATED: 'test/integration/publish/replication.test.ts',
  AUTH_ACCOUNT_PAUSED: 'test/integration/publish/caps.test.ts',
  CONFIG_PUBLISHING_PAUSED: 'test/integration/publish/caps.test.ts',
  OUTBOUND_UNREACHABLE: 'test/integration/outbound/outbound-agent.test.ts',
  CALLBACK_REFUSED: 'test/integration/callbacks/delivery.test.ts',
  CALLBACK_REDIRECTED: 'test/integration/callbacks/delivery.test.ts',
  CALLBACK_GONE: 'test/integration/callbacks/delivery.test.ts',
  CALLBACK_NOT_FOUND: 'test/integration/callbacks/replay.test.ts',
  INTERNAL_OVERTAKEN: 'test/integration/ledger/ledger.test.ts',
};

describe('the error matrix', () => {
  it.each(Object.keys(ERROR_TABLE))('meets %s', (code) => {
    const elsewhere = COVERED_ELSEWHERE[code];
    if (elsewhere === undefined) expect(names(suite, code), `add a test of ${code} to errors-*.test.ts`).toBe(true);
    else expect(names(read(elsewhere), code), `${elsewhere} no longer meets ${code}`).toBe(true);
  });

  it('names nothing as covered elsewhere that is covered here or does not exist', () => {
    const stale = Object.keys(COVERED_ELSEWHERE).filter(
      (code) => names(suite, code) || !Object.hasOwn(ERROR_TABLE, code),
    );
    expect(stale).toEqual([]);
  });

  // Every code, OAuth error and fail_reason of TikTok that the program tells apart.
  const tiktokCodes = [...read('src/core/tiktok-codes.ts').matchAll(/\['([a-z_]+)', '[A-Z_]+'\]/g)].map(
    ([, code = '']) => code,
  );

  it('finds the codes of TikTok', () => {
    expect(tiktokCodes.length).toBeGreaterThan(35);
  });

  it.each([...new Set(tiktokCodes)])('answers %s', (code) => {
    expect(names(suite, code), `add a test of ${code} to errors-*.test.ts`).toBe(true);
  });
});
