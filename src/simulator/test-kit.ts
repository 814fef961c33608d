import type { Publisher } from '../producers/publisher.ts';
import type { AccountProfile, AccountTokens } from './accounts.ts';
import type { SimulatorOptions } from './options.ts';
import { type Simulator, startSimulator } from './start-simulator.ts';

/** How a test kit begins; every field has a default. */
export interface TestKitOptions {
  /** Options of the simulator; by default TikTok takes 20 ms for a video. */
  readonly simulator?: SimulatorOptions;
  /** `redis://` of a Redis to use, of which only keys of its own are touched; by default one that is started for the kit. */
  readonly redisUrl?: string;
  /** Names of the accounts that are connected at once; `['acme']` by default. */
  readonly accounts?: readonly string[];
}

/** All that a test of an app needs, closed by one call. */
export interface TestKit {
  /** As `createPublisher` answers it, on this kit's Redis. */
  readonly publisher: Publisher;
  /** The TikTok that the workers publish to: script its faults, and look at what it received. */
  readonly simulator: Simulator;
  /** `redis://` of the kit's Redis, for `createPublisher({ redisUrl, queuePrefix })` in the app under test. */
  readonly redisUrl: string;
  /** The queue's hash tag. */
  readonly queuePrefix: string;
  /** Connects one more account. */
  addAccount(name: string, profile?: Partial<AccountProfile>): Promise<AccountTokens>;
  /**
   * Between tests: forgets posts, requests and faults of the simulator and how much of TikTok's limits is used up, per
   * minute and day, here and there. Jobs that waited for a limit go on. Accounts and jobs stay.
   */
  reset(): Promise<void>;
  /** Closes the publisher, the workers, the simulator and Redis, and deletes everything. */
  close(): Promise<void>;
  /** {@link close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Starts Redis, a simulated TikTok, workers that poll every few ms, and a publisher, in this process. The environment
 * does not matter.
 *
 * @throws RedisUnavailableError when no Redis can be started
 * @example
 * await using kit = await createTestKit();
 * const job = await kit.publisher.enqueue({ account: 'acme', mode: 'inbox', media: { type: 'file', path: '/a.mp4' } });
 * await kit.publisher.waitForCompletion(job.id);
 */
export async function createTestKit(options: TestKitOptions = {}): Promise<TestKit> {
  // Loaded when called: the simulator alone needs nothing of it.
  const { openTestService } = await import('../app/open-test-service.ts');
  const simulator = await startSimulator({ processingMs: 20, pullMs: 20, ...options.simulator });
  const service = await openTestService({ tiktok: simulator, redisUrl: options.redisUrl }).catch(
    async (error: unknown) => {
      await simulator.close();
      throw error;
    },
  );
  const { publisher, redisUrl, queuePrefix } = service;
  const kit: TestKit = {
    ...{ publisher, simulator, redisUrl, queuePrefix },
    async addAccount(name, profile) {
      const tokens = simulator.addAccount(profile);
      await service.addAccount(name, tokens);
      return tokens;
    },
    async reset() {
      simulator.reset();
      await service.liftLimits();
    },
    async close() {
      await service.close();
      await simulator.close();
    },
    [Symbol.asyncDispose]: () => kit.close(),
  };
  for (const name of options.accounts ?? ['acme']) await kit.addAccount(name, { openId: `open-id-of-${name}` });
  return kit;
}
