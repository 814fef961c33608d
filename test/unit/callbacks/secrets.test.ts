import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { createCallbackSigner, deriveCallbackSecrets } from '../../../src/callbacks/signer.ts';
import { webhookSecretList } from '../../../src/config/setting-values.ts';

const KEYS = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];

describe('the secrets of callbacks', () => {
  it('are derived one of each key, the same every time, and do not show the key', () => {
    const [first = '', second = ''] = deriveCallbackSecrets(KEYS);
    expect(deriveCallbackSecrets([...KEYS].reverse())).toEqual([second, first]);
    expect(first).not.toBe(second);
    expect(first).not.toContain(KEYS[0]?.toString('base64'));
    expect(webhookSecretList.parse(`${first}, ${second}`)).toEqual([first, second]);
  });

  it.each(['', 'whsec_', 'whsec_short', 'secret', `whsec_${Buffer.alloc(65).toString('base64')}`])(
    'are not taken if malformed: "%s"',
    (text) => {
      expect(webhookSecretList.safeParse(text).success).toBe(false);
    },
  );

  it('all sign, so that a receiver with any of them can verify', () => {
    const secrets = deriveCallbackSecrets(KEYS);
    const headers = createCallbackSigner(secrets).sign('evt-1', '{"a":1}', Date.now());
    for (const secret of secrets) expect(new Webhook(secret).verify('{"a":1}', headers)).toEqual({ a: 1 });
  });
});
