import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createCallbackSigner, deriveCallbackSecrets } from '../../../src/callbacks/signer.ts';
import { ELEVEN_TRIES_IN_A_DAY } from '../../../src/core/callback-schedule.ts';

const page = readFileSync(new URL('../../../docs/callbacks.md', import.meta.url), 'utf8');

describe('docs/callbacks.md', () => {
  it('shows a receiver in Node that verifies what we send and refuses anything else', async () => {
    const [, example = ''] = /```js\n([\s\S]*?)```/.exec(page) ?? [];
    const secrets = deriveCallbackSecrets([Buffer.alloc(32, 7)]);
    const module = example
      .replace("from 'standardwebhooks'", `from '${import.meta.resolve('standardwebhooks')}'`)
      .replace('process.env.CALLBACK_SECRET', JSON.stringify(secrets[0]));
    const { verifiedEvent } = await import(`data:text/javascript,${encodeURIComponent(module)}`);
    const body = '{"id":"e-1"}';
    const headers = createCallbackSigner(secrets).sign('e-1', body, Date.now());
    expect(verifiedEvent(body, headers)).toEqual({ id: 'e-1' });
    expect(() => verifiedEvent(`${body} `, headers)).toThrow();
  });

  it('tells the pauses as they are', () => {
    const told = ELEVEN_TRIES_IN_A_DAY.delaysMs.map((delayMs) => {
      if (delayMs < 60_000) return `${delayMs / 1_000} s`;
      return delayMs < 3_600_000 ? `${delayMs / 60_000} min` : `${delayMs / 3_600_000} h`;
    });
    expect(page).toContain(`${told.slice(0, -1).join(', ')} and ${told.at(-1)}`);
  });
});
