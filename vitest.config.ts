import { defineConfig } from 'vitest/config';
import { SlowFirst } from './test/support/slow-first.ts';

/**
 * Files of a project share their workers, so that what they import is loaded once for each worker and not for each
 * file. They leave nothing behind: no variable, no mock, no open handle.
 */
const suite = (name: string, extra: Record<string, unknown> = {}) => ({
  test: { name, include: [`test/${name}/**/*.test.ts`], isolate: false, ...extra },
});

const BUILD = 'test/support/build.ts';

/** A real Redis, started once for the whole suite. Limits are for what hangs; they leave a busy machine its time. */
const withRedis = { globalSetup: [BUILD, 'test/support/global-redis.ts'], testTimeout: 480_000, hookTimeout: 600_000 };

const MAIN = ['test/{unit,simulator,integration,e2e}/**/*.test.ts'];

/** Tests that drive a browser, a Prometheus, an nginx or Helm, which take long and which few machines have. */
const WITH_PROGRAMS = [
  'test/e2e/{board,connect}/*.test.ts',
  'test/e2e/{nginx,helm}/*.test.ts',
  'test/e2e/observability/prometheus.test.ts',
];

/** What documents tell to type, and their examples, run as a reader runs them: installs, builds and many processes. */
const EXAMPLES = ['test/e2e/readme/*.test.ts', 'test/e2e/cli/demo.test.ts'];

const inOneProcess = { ...withRedis, setupFiles: ['test/support/leave-nothing.ts'] };

const chaos = {
  ...withRedis,
  globalSetup: ['test/support/global-redis.ts', 'test/chaos/compiled-programs.ts'],
};

export default defineConfig({
  test: {
    // Many tests wait, so there are more than cores; each worker loads our code anew.
    maxWorkers: 7,
    sequence: { sequencer: SlowFirst },
    projects: [
      suite('architecture', { globalSetup: [BUILD], testTimeout: 60_000 }),
      // npm test. One project, so that a worker loads our code once for files of all folders.
      suite('main', { ...inOneProcess, include: MAIN, exclude: [...WITH_PROGRAMS, ...EXAMPLES] }),
      // npm run examples
      suite('examples', { ...withRedis, include: EXAMPLES }),
      // npm run programs
      suite('programs', { ...withRedis, include: WITH_PROGRAMS }),
      // Packs, installs and bundles, with packages from the registry: npm run packaging.
      suite('packaging', {
        testTimeout: 600_000,
        hookTimeout: 600_000,
        fileParallelism: false,
        sequence: { groupOrder: 1 },
      }),
      // Starts and kills workers and Redis servers of its own; npm run chaos -- --short.
      suite('chaos', chaos),
      // Short forms of fuzz, bench, scale and topologies, which CI runs: npm run short-forms.
      suite('short-forms', { ...inOneProcess, include: ['test/{short-forms,fuzz}/**/*.test.ts'] }),
      // What strangers may send, in large numbers from a seed: npm run fuzz.
      suite('fuzz', { ...inOneProcess, env: { FUZZ_FORM: 'long' }, sequence: { groupOrder: 1 } }),
      // How long things take, which only a machine that does nothing else can tell: npm run timing.
      suite('timing', { ...withRedis, fileParallelism: false, sequence: { groupOrder: 1 } }),
      // All kinds of Redis that can be had, with servers of its own: npm run test:topologies.
      suite('topologies', { globalSetup: [BUILD], testTimeout: 300_000, sequence: { groupOrder: 1 } }),
      // Proofs of minutes with a command of their own: npm run scale.
      // Hours of service in a short time; SOAK_MINUTES says how short: npm run soak.
      suite('soak', { ...withRedis, testTimeout: 86_400_000, sequence: { groupOrder: 1 } }),
      suite('scale', { ...withRedis, testTimeout: 600_000, fileParallelism: false, sequence: { groupOrder: 1 } }),
    ],
  },
});
