import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that start processes or wait for timers begin; those that only compute fill the cores at the end. */
const FOLDERS = ['short-forms', 'e2e', 'integration', 'architecture', 'simulator', 'unit'];

/** Files of more than ten seconds, the longest first, so that none of them runs alone at the end. */
const SLOW_FILES = [
  'test/e2e/cli/which-redis.test.ts',
  'test/e2e/cli/publishing.test.ts',
  'test/e2e/cli/demo.test.ts',
  'test/e2e/readme/app-examples.test.ts',
  'test/e2e/secrets/secrets.test.ts',
  'test/e2e/observability/traces.test.ts',
  'test/e2e/callbacks/killed-worker.test.ts',
  'test/e2e/workers/shutdown.test.ts',
  'test/e2e/cli/start-wait.test.ts',
  'test/e2e/cli/dry-run.test.ts',
  'test/e2e/readme/every-example.test.ts',
  'test/e2e/proxy/only-proxy.test.ts',
  'test/e2e/readme/quick-start.test.ts',
  'test/e2e/cli/accounts.test.ts',
  'test/e2e/readme/examples.test.ts',
  'test/e2e/workers/plain-entries.test.ts',
  'test/e2e/workers/own-tokens.test.ts',
  'test/integration/workers/readiness.test.ts',
  'test/integration/publish/errors-remote-media.test.ts',
  'test/integration/publish/errors-upload.test.ts',
  'test/integration/publish/replication.test.ts',
  'test/integration/workers/replace-stuck.test.ts',
  'test/integration/publish/plain-entries.test.ts',
  'test/integration/workers/restored-ledger.test.ts',
  'test/integration/redis/moved-master.test.ts',
  'test/integration/redis/dead-peer.test.ts',
  'test/integration/publish/cancel-retry.test.ts',
  'test/integration/redis/start-wait.test.ts',
  'test/integration/redis/permissions.test.ts',
  'test/integration/redis/confirmation.test.ts',
];

/** Runs the slow files first. */
export class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const path = relative(this.ctx.config.root, moduleId);
      const folder = FOLDERS.findIndex((name) => path.startsWith(`test/${name}/`));
      const slow = SLOW_FILES.indexOf(path);
      return folder * 1_000 + (slow === -1 ? SLOW_FILES.length : slow);
    };
    return [...files].sort((a, b) => place(a) - place(b) || (a.moduleId < b.moduleId ? -1 : 1));
  }
}
