import { createAccountNames } from '../../src/accounts/account-names.ts';
import { parsePublishRequest } from '../../src/core/publish-request.ts';
import { createLanes } from '../../src/lanes/lanes.ts';
import { createLedger } from '../../src/ledger/ledger.ts';
import { createLedgerReader } from '../../src/ledger/ledger-reader.ts';
import { enqueueEntries, parseEntries } from '../../src/producers/enqueue.ts';
import { createQueues } from '../../src/queues/queues.ts';
import { connectRedis } from '../../src/redis/connections.ts';
import { createKeys } from '../../src/redis/keys.ts';
import { openConfirmation } from '../../src/redis/open-confirmation.ts';
import { enqueuerSettingsSchema, REDIS_AWAY_EXIT_CODE, SETTINGS_VARIABLE } from './process-settings.ts';
import { tell } from './traps.ts';

/* An application that enqueues one video and is killed on the way. */

const {
  redis: target,
  prefix,
  waitReplicas,
  request,
  idempotencyKey,
  killed,
} = enqueuerSettingsSchema.parse(JSON.parse(process.env[SETTINGS_VARIABLE] ?? ''));
const redis = await connectRedis(target, 'producer').catch(() => process.exit(REDIS_AWAY_EXIT_CODE));
const queues = createQueues({ connection: redis, prefix, retentionMs: 86_400_000 });
const keys = createKeys(prefix);
const confirmation = openConfirmation(target, { keys, replicas: waitReplicas });
const ledger = createLedger({ redis, keys, clock: Date, confirmation });
const dying = {
  ...queues,
  async addPublishEntries(): Promise<void> {
    process.kill(process.pid, 'SIGKILL');
  },
};
tell({ kind: 'ready' });
const jobs = await enqueueEntries(parseEntries([{ request: parsePublishRequest(request), idempotencyKey }]), {
  ledger,
  reader: createLedgerReader({ redis, keys }),
  lanes: createLanes({ redis, keys, clock: Date }),
  accountNames: createAccountNames({ redis, keys, clock: Date }),
  queues: killed === 'between' ? dying : queues,
  clock: Date,
  sealSecrets: () => Promise.reject(new Error('no request here holds a secret')),
})
  // Its caller asks again.
  .catch(() => process.exit(REDIS_AWAY_EXIT_CODE));
tell({ kind: 'accepted', id: jobs[0]?.id ?? '' });
process.kill(process.pid, 'SIGKILL');
