import { redisRefusalOf } from '../../core/redis-trouble.ts';
import { SECOND_MS } from '../../core/units.ts';
import type { WatchedWorker } from './watched-worker.ts';

/** Whether workers could take a job now, and why not, human-readable. */
export interface Readiness {
  /** Whether every worker could take a job now. */
  readonly ready: boolean;
  /** One sentence per queue whose jobs are not taken, or one about all of them; without addresses or secrets. */
  readonly reasons: readonly string[];
}

/** Why Redis takes no write of a new connection; undefined where it takes one. */
export type ProbeRedis = () => Promise<string | undefined>;

/** Says of each worker whether it could take a job now. @param probe called if no error explains why fetches are not answered */
export async function readinessOf(workers: readonly WatchedWorker[], probe: ProbeRedis): Promise<Readiness> {
  const stuck = workers.filter((worker) => !worker.isReady);
  if (stuck.length === 0) return { ready: true, reasons: [] };
  const isUnexplained = stuck.some(
    ({ lateness }) => lateness !== undefined && knownReason(lateness.trouble) === undefined,
  );
  const found = isUnexplained ? await probe() : undefined;
  return { ready: false, reasons: stuck.map((worker) => `${worker.name} takes no jobs: ${reasonOf(worker, found)}`) };
}

function reasonOf({ lateness }: WatchedWorker, found: string | undefined): string {
  if (lateness === undefined) return 'its worker was stopped';
  const { sinceMs, trouble } = lateness;
  return (
    knownReason(trouble) ??
    found ??
    `Redis has not responded to this worker for ${Math.round(sinceMs / SECOND_MS)} seconds`
  );
}

/** What an error of Redis means. */
function knownReason(error: Error | undefined): string | undefined {
  if (error === undefined) return undefined;
  if (/ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH/.test(error.message)) return 'Redis cannot be reached';
  return redisRefusalOf(error);
}
