import { openRedisAccess } from '../../src/app/redis-access.ts';
import { openRedisParts } from '../../src/app/redis-parts.ts';
import { parsePublishRequest } from '../../src/core/publish-request.ts';
import { enqueueEntries, parseEntries } from '../../src/producers/enqueue.ts';
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
const access = await openRedisAccess({
  redis: target,
  redisWaitReplicas: waitReplicas,
  queuePrefix: prefix,
  dataDir: '',
  cacheDir: '',
});
const redis = await access.connect('producer').catch(() => process.exit(REDIS_AWAY_EXIT_CODE));
const parts = openRedisParts(access, redis, { clock: Date, telemetry: undefined });
const { queues } = parts;
const dying = {
  ...queues,
  // Else there is nothing between the record and its entry.
  entryScript: () => Promise.resolve(undefined),
  async addPublishEntries(): Promise<void> {
    process.kill(process.pid, 'SIGKILL');
  },
};
tell({ kind: 'ready' });
const jobs = await enqueueEntries(parseEntries([{ request: parsePublishRequest(request), idempotencyKey }]), {
  ...parts,
  queues: killed === 'between' ? dying : queues,
  clock: Date,
  sealSecrets: () => Promise.reject(new Error('no request here holds a secret')),
})
  // Its caller asks again.
  .catch(() => process.exit(REDIS_AWAY_EXIT_CODE));
tell({ kind: 'accepted', id: jobs[0]?.id ?? '' });
process.kill(process.pid, 'SIGKILL');
