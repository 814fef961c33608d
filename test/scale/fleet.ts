import { createAccountVault } from '../../src/accounts/vault.ts';
import { createPublisherFromConfig } from '../../src/app/create-publisher.ts';
import type { PublishRequest } from '../../src/core/publish-request.ts';
import type { PublishState } from '../../src/core/publish-state.ts';
import { createQueues } from '../../src/ledger/queues/queues.ts';
import { closeRedis, connectRedis } from '../../src/redis/connections.ts';
import { createKeys } from '../../src/redis/keys.ts';
import { createSealer } from '../../src/sealing/sealer.ts';
import { type SimulatorOptions, startSimulator } from '../../src/simulator/index.ts';
import { freshEnvironment, type RunningCommand, startCommand } from '../e2e/cli/command.ts';
import { eventually } from '../support/eventually.ts';

/** Enqueued with one call: more would keep Redis from everybody else for too long. */
const BULK_SIZE = 500;

export type Fleet = Awaited<ReturnType<typeof startFleet>>;

/** Any number of `tiktok-publisher worker` processes with production settings, on one Redis and a simulated TikTok. */
export async function startFleet(
  options: { simulator?: SimulatorOptions; environment?: Readonly<Record<string, string>> } = {},
) {
  // Caps per day are not what is measured.
  const limits = { postsPerDay: 100_000, pendingSharesPerDay: 100_000 };
  const simulator = await startSimulator({ journalLimit: 1_000_000, ...options.simulator, limits });
  const environment = freshEnvironment({
    TIKTOK_API_BASE_URL: simulator.url,
    TIKTOK_CLIENT_KEY: simulator.clientKey,
    TIKTOK_CLIENT_SECRET: simulator.clientSecret,
    LOG_LEVEL: 'warn',
    ...options.environment,
  });
  const { REDIS_URL: url = '', QUEUE_PREFIX: prefix = '', ENCRYPTION_KEYS: key = '' } = environment;
  const redis = await connectRedis({ kind: 'url', url }, 'ledger');
  const keys = createKeys(prefix);
  const sealer = createSealer([Buffer.from(key, 'base64')]);
  const vault = createAccountVault({ redis, keys, sealer: sealer });
  const queues = createQueues({ connection: redis, prefix });
  const publisher = createPublisherFromConfig({
    redis: { kind: 'url', url },
    dataDir: '',
    cacheDir: '',
    queuePrefix: prefix,
    // The simulator, and receivers of events, are on this machine.
    outboundAllowHosts: ['127.0.0.1'],
  });
  const workers: RunningCommand[] = [];
  const accessTokens = new Map<string, string>();

  return {
    simulator,
    publisher,
    queues,
    redis,
    keys,
    sealer,
    /** By name of the account, as they were when it was added. */
    accessTokens: accessTokens as ReadonlyMap<string, string>,

    /** New TikTok users whose tokens the vault holds under these names. @returns their open_ids by name */
    async addAccounts(names: readonly string[]): Promise<Map<string, string>> {
      const openIds = new Map<string, string>();
      for (const account of names) {
        const tokens = simulator.addAccount();
        await vault.add({
          account,
          openId: tokens.openId,
          accessToken: tokens.accessToken,
          expiresInSeconds: tokens.expiresIn,
          refreshToken: tokens.refreshToken,
          refreshExpiresInSeconds: tokens.refreshExpiresIn,
          scope: tokens.scope,
        });
        openIds.set(account, tokens.openId);
        accessTokens.set(account, tokens.accessToken);
      }
      return openIds;
    },

    /** Starts one worker process, with settings of its own; resolves once it takes jobs. */
    async startWorker(settings: Readonly<Record<string, string>>): Promise<RunningCommand> {
      const worker = startCommand(['worker'], { ...environment, ...settings });
      workers.push(worker);
      await worker.printed('Workers run');
      return worker;
    },

    /** Starts worker processes; resolves with their pids once all take jobs. */
    async startWorkers(count: number): Promise<number[]> {
      const started = Array.from({ length: count }, () => startCommand(['worker'], environment));
      workers.push(...started);
      await Promise.all(started.map((worker) => worker.printed('Workers run')));
      return started.map(({ pid }) => pid);
    },

    /** @returns the jobs' ids, in order */
    async enqueue(requests: readonly PublishRequest[]): Promise<string[]> {
      const ids: string[] = [];
      for (let at = 0; at < requests.length; at += BULK_SIZE) {
        const jobs = await publisher.enqueueBulk(requests.slice(at, at + BULK_SIZE));
        ids.push(...jobs.map(({ id }) => id));
      }
      return ids;
    },

    /** How many jobs are in a state. */
    count: async (state: PublishState): Promise<number> => await redis.zcard(keys.stateJobs(state)),

    /** Resolves once so many jobs are published. */
    async published(count: number, timeoutMs: number): Promise<void> {
      await eventually(async () => (await redis.zcard(keys.stateJobs('published'))) >= count, {
        timeoutMs,
        intervalMs: 500,
      });
    },

    /** Resolves once TikTok has so many videos whole. */
    async uploaded(count: number, timeoutMs: number): Promise<void> {
      const isThere = () =>
        simulator.journal.publishes().filter(({ completeUploads }) => completeUploads > 0).length >= count;
      await eventually(isThere, { timeoutMs, intervalMs: 100 });
    },

    /** How often BullMQ has started each of these entries of `tiktok-publish`. */
    async starts(ids: readonly string[]): Promise<number[]> {
      const starts: number[] = [];
      for (const id of ids) starts.push((await queues.publish.getJob(id))?.attemptsStarted ?? 0);
      return starts;
    },

    async close(): Promise<void> {
      for (const worker of workers) worker.kill('SIGTERM');
      await Promise.all(workers.map(({ ended }) => ended));
      await publisher.close();
      await queues.close();
      await closeRedis(redis);
      await simulator.close();
    },
  };
}

/** Names of accounts. */
export function accountNames(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${index + 1}`);
}

/** A direct post of a local file. */
export function directPost(account: string, path: string): PublishRequest {
  return { account, mode: 'direct', media: { type: 'file', path }, post: { privacyLevel: 'SELF_ONLY' } };
}
