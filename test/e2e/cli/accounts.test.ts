import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { goThroughConsent } from '../../support/connect-site.ts';
import { answerOf, endCommands, freshEnvironment, runCommand, startCommand, startTikTok } from './command.ts';

let env: Record<string, string>;
let openId: string;

beforeAll(async () => {
  const { simulator, settings } = await startTikTok();
  openId = simulator.addAccount().openId;
  const fresh = freshEnvironment(settings);
  const server = startCommand(['server', '--json'], fresh);
  const { url } = z.object({ url: z.string() }).parse(await server.document());
  env = { ...fresh, PUBLIC_BASE_URL: url };
}, 60_000);
afterAll(endCommands);

describe('an account, from its link to its end', () => {
  it('is connected by its owner, paused, resumed, found in order and removed', async () => {
    const made = await runCommand(['accounts', 'connect', 'acme'], env);
    expect(made.exitCode).toBe(0);
    const [link = ''] = /http:\S+/.exec(made.stdout) ?? [];
    const { page } = await goThroughConsent(link, openId);
    expect(page).toMatchObject({ status: 200, text: expect.stringContaining('connected as <b>acme</b>') });

    expect((await answerOf(['accounts', 'list'], env)).stdout).toMatch(new RegExp(`^acme +${openId} +active`, 'm'));
    expect((await answerOf(['accounts', 'pause', 'acme'], env)).stdout).toContain('is paused');
    expect((await answerOf(['accounts', 'list'], env)).stdout).toMatch(/^acme .* paused/m);
    expect((await answerOf(['accounts', 'resume', 'acme'], env)).stdout).toContain('no longer paused');
    expect((await answerOf(['accounts', 'rekey'], env)).stdout).toContain('1 already used it');

    const examined = await runCommand(['doctor'], env);
    expect(examined.stdout).toContain('1 of 1 accounts have tokens that can be decrypted');
    expect(examined).toMatchObject({
      exitCode: 0,
      stderr: `Redis: redis://${new URL(env.REDIS_URL ?? '').host} (REDIS_URL)\n`,
    });

    const removed = await answerOf(['accounts', 'remove', 'acme'], env);
    expect(removed).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('TikTok has revoked the access') });
    expect((await answerOf(['accounts', 'list', '--json'], env)).stdout).toBe('{"accounts":[]}\n');
  });

  it('is not connected by a link made with other keys', async () => {
    const foreign = { ...env, ENCRYPTION_KEYS: Buffer.alloc(32, 1).toString('base64') };
    const made = await answerOf(['accounts', 'connect', 'acme', '--json'], foreign);
    const { url } = z.looseObject({ url: z.string() }).parse(JSON.parse(made.stdout));
    const page = await fetch(url);
    expect([page.status, await page.text()]).toEqual([503, expect.stringContaining('CONFIG_KEY_UNKNOWN')]);
  });
});
