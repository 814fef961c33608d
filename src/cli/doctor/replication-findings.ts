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

/** What to say of one server. Exported for servers that a test can't start. */
export function replicaFindings(
  { isReplica, connectedReplicas, minReplicasToWrite }: ServerFacts,
  wanted: number,
): ReplicationFinding[] {
  if (isReplica) return [];
  if (wanted === 0) {
    if (connectedReplicas === 0) return [];
    const message = 'REDIS_WAIT_REPLICAS is 0 and this Redis has replicas: a failover may lose jobs or post one twice';
    return [{ level: 'advice', message, fix: 'Set REDIS_WAIT_REPLICAS=1, unless nothing ever fails over to them.' }];
  }
  if (connectedReplicas < wanted) {
    const message = `nothing can be accepted: REDIS_WAIT_REPLICAS asks for ${wanted}, connected replicas: ${connectedReplicas}`;
    return [{ level: 'problem', message, fix: 'Start or repair the replicas, or lower REDIS_WAIT_REPLICAS.' }];
  }
  if (minReplicasToWrite === undefined || minReplicasToWrite > 0) return [];
  const message =
    'a master that is cut off from its replicas takes writes that will be thrown away: min-replicas-to-write is 0. No post is lost or repeated by that; with 1, workers do less there that has to be done once more';
  const fix =
    'Set `min-replicas-to-write 1` and `min-replicas-max-lag 10` in redis.conf of every server, and at once with redis-cli config set.';
  return [{ level: 'advice', message, fix }];
}

function sentinelFindings(redis: Config['redis']): ReplicationFinding[] {
  if (redis.kind !== 'sentinel' || redis.nodes.length >= USUAL_SENTINELS) return [];
  const message = `REDIS_SENTINELS names ${redis.nodes.length} of the sentinels: a failover that another one leads is noticed late`;
  return [{ level: 'advice', message, fix: 'Name all of them, three or more.' }];
}
