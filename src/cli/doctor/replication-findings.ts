import type { Config } from '../../config/load-config.ts';
import { defaultReplicas } from '../../redis/open-confirmation.ts';
import type { ServerFacts } from '../../redis/server-facts.ts';
import type { Finding } from './finding.ts';

/** Fewer sentinels can't outvote one that errs. */
const USUAL_SENTINELS = 3;

/** Whether a failover could lose what was acknowledged, or nothing can be acknowledged now. */
export function replicationFindings(
  servers: readonly ServerFacts[],
  config: Pick<Config, 'redis' | 'redisWaitReplicas'>,
): Finding[] {
  const wanted = config.redisWaitReplicas ?? defaultReplicas(config.redis);
  const findings = servers.flatMap((facts) => replicaFindings(facts, wanted));
  return [...findings, ...sentinelFindings(config.redis)].map((found) => ({ check: 'redis', ...found }));
}

type ReplicationFinding = Omit<Finding, 'check'>;

/** What to say of one server. Exported for servers that a test can't start. @internal */
export function replicaFindings(
  { isReplica, connectedReplicas, minReplicasToWrite }: ServerFacts,
  wanted: number,
): ReplicationFinding[] {
  if (isReplica) return [];
  if (wanted === 0) {
    if (connectedReplicas === 0) return [];
    const message =
      'REDIS_WAIT_REPLICAS is 0 and this Redis has replicas: a failover may lose jobs or post a video twice';
    return [
      {
        level: 'advice',
        message,
        fix: 'Set REDIS_WAIT_REPLICAS=1, unless there is never a failover to these replicas.',
      },
    ];
  }
  if (connectedReplicas < wanted) {
    const message = `no job can be accepted: REDIS_WAIT_REPLICAS requires ${wanted} replicas, connected replicas: ${connectedReplicas}`;
    return [{ level: 'problem', message, fix: 'Start or repair the replicas, or lower REDIS_WAIT_REPLICAS.' }];
  }
  if (minReplicasToWrite === undefined || minReplicasToWrite > 0) return [];
  const message =
    'min-replicas-to-write is 0: a master that loses its replicas accepts writes that are lost in the failover. No post is lost or repeated, but workers may have to repeat work';
  const fix =
    'Set `min-replicas-to-write 1` and `min-replicas-max-lag 10` in redis.conf of every server. To apply them immediately, use redis-cli config set.';
  return [{ level: 'advice', message, fix }];
}

function sentinelFindings(redis: Config['redis']): ReplicationFinding[] {
  if (redis.kind !== 'sentinel' || redis.nodes.length >= USUAL_SENTINELS) return [];
  const message = `REDIS_SENTINELS lists only ${redis.nodes.length} of the sentinels: a failover led by another sentinel is detected late`;
  return [{ level: 'advice', message, fix: 'List all sentinels, at least three.' }];
}
