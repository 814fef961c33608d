import { randomBytes } from 'node:crypto';
import type { PublishJob } from '../../src/core/publish-job.ts';
import type { PublishRequest } from '../../src/core/publish-request.ts';
import type { AccountTokens, FaultAct, FaultHandle, FaultRule, JournalEntry } from '../../src/simulator/index.ts';
import { eventually } from './eventually.ts';
import type { Pipeline } from './pipeline.ts';

/** Prefix under which the simulator lets pulls through, see `PULLS`. */
export const PULL_URL = 'https://videos.example.com/a.mp4';
/** Simulator option that lets `PULL_URL` through. */
export const PULLS = { verifiedUrlPrefixes: ['https://videos.example.com/'] };

const ENDED = { timeoutMs: 90_000 };
const QUOTAS = ['direct_init', 'inbox_init', 'photo_init', 'status'];
const INITS: readonly JournalEntry['endpoint'][] = ['video_init', 'inbox_init', 'content_init'];

export type PublishCase = Awaited<ReturnType<typeof openCase>>;

/** A TikTok user of its own within a shared pipeline, so that faults, quotas and journals of the cases do not mix. */
export async function openCase(pipeline: Pipeline, profile: Parameters<Pipeline['addAccount']>[1] = {}) {
  const account = `creator-${randomBytes(4).toString('hex')}`;
  return caseOf(pipeline, account, await pipeline.addAccount(account, profile));
}

/** The case of a TikTok user whose tokens are, or are not, in the vault under this name. */
export function caseOf(pipeline: Pipeline, account: string, tokens: AccountTokens) {
  const { simulator, publisher, redis, keys, queues } = pipeline;
  const { openId } = tokens;
  const { journal } = simulator;
  const enqueue = ({ mode, ...request }: Omit<PublishRequest, 'account' | 'post'>) =>
    publisher.enqueue({
      ...request,
      account,
      ...(mode === 'direct' ? { mode, post: { privacyLevel: 'PUBLIC_TO_EVERYONE' } } : { mode }),
    });
  return {
    account,
    openId,
    tokens,

    /** Scripts a fault for this user's requests alone. */
    fault(endpoint: FaultRule['endpoint'], act: FaultAct, when: FaultRule['when'] = {}): FaultHandle {
      return simulator.faults.add({ endpoint, when: { openId, ...when }, act });
    },

    /** Enqueues a local file. */
    enqueueFile: (path: string, mode: PublishRequest['mode'] = 'direct') =>
      enqueue({ mode, media: { type: 'file', path } }),

    /** Enqueues a URL that TikTok fetches. */
    enqueuePull: (mode: PublishRequest['mode'] = 'direct', url = PULL_URL) =>
      enqueue({ mode, media: { type: 'pull', url } }),

    /** The job once it has its outcome. */
    ended: ({ id }: PublishJob): Promise<PublishJob> => publisher.waitForCompletion(id, ENDED),

    /** The job once its timeline shows an entry of this event and code. */
    noted: ({ id }: PublishJob, event: string, code?: string): Promise<PublishJob> =>
      eventually(async () => {
        const job = await publisher.get(id);
        const isNoted = job?.timeline.some((entry) => entry.event === event && (!code || entry.code === code));
        if (job === undefined || isNoted !== true) throw new Error(`no ${event} ${code} in ${JSON.stringify(job)}`);
        return job;
      }),

    /** Makes it later than the end of a wait: the user's quota is free again and the delay of the entry is over. */
    async endWait(queue: 'publish' | 'status', entryId: string): Promise<void> {
      await redis.del(...QUOTAS.map((endpoint) => keys.reservations(account, endpoint)));
      await eventually(async () => (await queues[queue].getJob(entryId))?.isDelayed() ?? false);
      await (await queues[queue].getJob(entryId))?.promote();
    },

    /** This user's requests to an endpoint. */
    requests: (endpoint: JournalEntry['endpoint']) => journal.requests({ endpoint, openId }),
    inits: () => journal.requests({ openId }).filter(({ endpoint }) => INITS.includes(endpoint)),
    publishes: () => journal.publishes().filter((publish) => publish.openId === openId),
    posts: () => journal.posts().filter((post) => post.openId === openId),
  };
}

/** Codes of the errors after which a job was tried again, oldest first. */
export function retriedCodes(job: PublishJob): unknown[] {
  return job.timeline.filter(({ event }) => event === 'attempt_failed').map(({ code }) => code);
}
