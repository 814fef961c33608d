import { describe, expect, it } from 'vitest';
import { PublishError } from '../../../src/core/publish-error.ts';
import { checkTokens } from '../../../src/workers/runtime/check-tokens.ts';
import { rejection } from '../../support/rejection.ts';

const failing = (error: unknown) => checkTokens({ accessToken: () => Promise.reject(error) }).accessToken('acme');

describe("another app's token source", () => {
  it('is asked with everything that the caller said, and its token is used as it is', async () => {
    const asked: unknown[] = [];
    const tokens = checkTokens({
      async accessToken(...args) {
        asked.push(args);
        return 'act.1';
      },
    });
    const options = { rejectedToken: 'act.0', signal: new AbortController().signal };
    expect(await tokens.accessToken('acme', options)).toBe('act.1');
    expect(asked).toEqual([['acme', options]]);
  });

  it.each([[undefined], [''], ['act.planted with a blank'], ['act.planted\n'], [{ accessToken: 'act.planted' }]])(
    'that gives %j has no token for the account, and it is not quoted',
    async (given) => {
      // As an app in JavaScript might write it.
      const source = JSON.parse(JSON.stringify({ given }));
      const error = await rejection(checkTokens({ accessToken: async () => source.given }).accessToken('acme'));
      expect(error.code).toBe('INPUT_ACCOUNT_UNKNOWN');
      expect(error.message).toContain('"acme"');
      expect(error.message).not.toContain('planted');
    },
  );

  it('decides with our errors what becomes of the job', async () => {
    const ours = new PublishError('AUTH_REAUTHORIZATION_REQUIRED');
    expect(await rejection(failing(ours))).toBe(ours);
  });

  it.each([[new TypeError('select token from act.planted')], ['act.planted'], [undefined]])(
    'that throws %s is in trouble that passes, and nothing of it is told',
    async (thrown) => {
      const error = await rejection(failing(thrown));
      expect(error.code).toBe('TRANSPORT_CONNECT_FAILED');
      expect(error.row).toMatchObject({ verdict: 'retry', outcomeKnown: true });
      expect(JSON.stringify([error.message, error.details, error.cause])).not.toContain('planted');
    },
  );

  it('that stays silent is in trouble that passes, and holds nobody up for ever', async () => {
    const silent = checkTokens({ accessToken: () => new Promise<string>(() => undefined) }, 20);
    const error = await rejection(silent.accessToken('acme'));
    expect(error.code).toBe('TRANSPORT_CONNECT_FAILED');
    expect(error.message).toContain('did not respond within');
  });

  it('that throws because its caller left is not in trouble', async () => {
    const tokens = checkTokens({ accessToken: async (_, options) => options?.signal?.throwIfAborted() ?? 'act.1' });
    const signal = AbortSignal.abort(new Error('shutting down'));
    await expect(tokens.accessToken('acme', { signal })).rejects.toThrow('shutting down');
  });
});
