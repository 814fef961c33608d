import { defineConfig } from 'vitest/config';

/** Machines of CI are busy ones: what fails there once is tried once more, and the report says so. */
const retry = process.env.CI === 'true' ? 1 : 0;

const suite = (name: string, extra: Record<string, unknown> = {}) => ({
  test: { name, include: [`test/${name}/**/*.test.ts`], retry, ...extra },
});

/** Suites that talk to a real Redis; it is started once for all of them. */
const withRedis = { globalSetup: ['test/support/global-redis.ts'], testTimeout: 30_000, hookTimeout: 60_000 };

export default defineConfig({
  test: {
    // Most tests wait for sockets and queues, not for a core.
    maxWorkers: 4,
    projects: [
      suite('architecture', { testTimeout: 30_000 }),
      suite('unit', { testTimeout: 20_000 }),
      suite('simulator', { testTimeout: 20_000 }),
      suite('integration', withRedis),
      suite('e2e', { ...withRedis, testTimeout: 120_000 }),
      // Proofs of minutes with a command of their own: npm run scale.
      suite('scale', { ...withRedis, testTimeout: 600_000, fileParallelism: false }),
      // Starts and kills Redis servers of its own.
      suite('chaos', {
        globalSetup: ['test/support/global-redis.ts', 'test/chaos/compiled-programs.ts'],
        testTimeout: 120_000,
        hookTimeout: 60_000,
      }),
    ],
  },
});
