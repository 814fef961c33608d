import { expect, it } from 'vitest';
import { freshEnvironment, runCommand } from './command.ts';

it('keeps checks whose result nobody reads, which a bundler takes for code without effect', async () => {
  const env = freshEnvironment({ REDIS_URL: 'redis://:50%off@127.0.0.1:6379' });
  const refused = await runCommand(['list', '--json'], env);
  expect(refused.stderr + refused.stdout).toContain('CONFIG_INVALID');
  expect(refused.stderr + refused.stdout).toContain('REDIS_URL');
});
