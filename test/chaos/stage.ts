import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { createAccountVault } from '../../src/accounts/vault.ts';
import { createPublisherFromConfig } from '../../src/app/create-publisher.ts';
import { openServer } from '../../src/app/open-server.ts';
import { openService } from '../../src/app/open-service.ts';
import type { PublishEvent } from '../../src/core/publish-event.ts';
import type { PublishJob } from '../../src/core/publish-job.ts';
import type { PublishRequest } from '../../src/core/publish-request.ts';
import { freePort } from '../../src/embedded-redis/redis-process.ts';
import { createLedgerReader } from '../../src/ledger/ledger-reader.ts';
import { createKeys } from '../../src/redis/keys.ts';
import { createSealer } from '../../src/sealing/sealer.ts';
import { type SimulatorOptions, startSimulator } from '../../src/simulator/index.ts';
import type { Recovery } from '../../src/workers/runtime/recovery.ts';
import { eventually } from '../support/eventually.ts';
import { startMediaWebServer } from '../support/media-web-server.ts';
import { openChaosApp } from './chaos-app.ts';
import { type ChaosProcess, startChaosProcess } from './chaos-process.ts';
import { isEnded } from './check-job.ts';
import { type EnqueuerSettings, REDIS_AWAY_EXIT_CODE, type WorkerSettings } from './process-settings.ts';
import { startTopology } from './topologies/start-topology.ts';
import { KEY_PREFIX, type TopologyKind } from './topologies/topology.ts';
import type { Notice, Trap } from './traps.ts';

/** URLs below this may be pulled. */
export const PULL_PREFIX = 'https://videos.example.com/';
/** URLs below this as well, but nobody answers there. */
export const DEAD_PREFIX = 'https://localhost:1/';

/** A dead worker is noticed within five seconds, so that rounds are short. */
export const RAPID_RECOVERY: Recovery = { lockDurationMs: 3_000, stalledIntervalMs: 1_000, sweepEveryMs: 1_000 };

export interface StageOptions {
  /** Folder of the compiled modules. */
  readonly programs: string;
  /** By default a single Redis. */
  readonly topology?: TopologyKind;
  /** Replicas that must confirm what can't be taken back; by default as the topology has it. */
  readonly waitReplicas?: number | undefined;
  readonly recovery?: Recovery;
  readonly simulator?: SimulatorOptions;
  /** Starts the product's web server, for TikTok's webhooks and for its downloads. */
  readonly hasSite?: boolean;
  /** Settings of the workers other than the usual ones. */
  readonly worker?: Partial<Pick<WorkerSettings, 'preflight' | 'outcomeWithinMs' | 'chunkSizeBytes' | 'pace'>>;
  /** Object storage that workers may read from. */
  readonly s3?: WorkerSettings['media']['s3'];
  /** Variables of the workers besides their settings: the AWS SDK takes its credentials from there. */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface StartWorkerOptions {
  readonly traps?: readonly Trap[];
  readonly shutdownTimeoutMs?: number;
  readonly chunkSizeBytes?: number;
  readonly onNotice?: (notice: Notice) => void;
}

export type Stage = Awaited<ReturnType<typeof startStage>>;

/** Redis that can fail in many ways, a simulated TikTok, and any number of real worker and enqueuer processes. */
export async function startStage({
  programs,
  topology: kind = 'single',
  recovery = RAPID_RECOVERY,
  ...options
}: StageOptions) {
  const folder = await mkdtemp(join(tmpdir(), 'tiktok-publisher-chaos-'));
  const web = await startMediaWebServer(folder);
  const topology = await startTopology(kind, folder);
  const publicBaseUrl = options.hasSite === true ? `http://127.0.0.1:${await freePort()}` : undefined;
  const simulator = await startSimulator({
    processingMs: 200,
    pullMs: 200,
    verifiedUrlPrefixes: [PULL_PREFIX, DEAD_PREFIX, ...(publicBaseUrl === undefined ? [] : [`${publicBaseUrl}/pull/`])],
    ...options.simulator,
  });
  const prefix = KEY_PREFIX;
  const keys = createKeys(prefix);
  const encryptionKey = randomBytes(32);
  const { waitReplicas } = options;
  const processSettings = { redis: topology.target, prefix, ...(waitReplicas !== undefined && { waitReplicas }) };
  const publisher = createPublisherFromConfig({
    redis: topology.target,
    redisWaitReplicas: waitReplicas,
    dataDir: '',
    cacheDir: '',
    queuePrefix: prefix,
  });
  const processes: ChaosProcess[] = [];
  const profiles = new Map<string, Parameters<typeof simulator.addAccount>[0]>();
  const { url, clientKey, clientSecret } = simulator;
  const serviceSettings: WorkerSettings = {
    ...{ ...processSettings, recovery, simulator: { url, clientKey, clientSecret } },
    encryptionKey: encryptionKey.toString('base64'),
    logFile: join(folder, 'workers.log'),
    media: { allowHosts: web.allowHosts, ...(options.s3 !== undefined && { s3: options.s3 }) },
    ...{ chunkSizeBytes: 5_242_880, shutdownTimeoutMs: 5_000, traps: [] },
    ...(publicBaseUrl !== undefined && { publicBaseUrl }),
    ...options.worker,
  };
  const site = publicBaseUrl === undefined ? undefined : await openService(await openChaosApp(serviceSettings));
  if (site !== undefined) await openServer(site);
  const program = (name: string): string => join(programs, 'test', 'chaos', `${name}.js`);

  function start(name: string, settings: unknown, onNotice?: (notice: Notice) => void): ChaosProcess {
    const started = startChaosProcess(program(name), { settings, environment: options.environment ?? {} }, onNotice);
    processes.push(started);
    return started;
  }

  /** Repeats what fails, as on a master that is just replaced or has no time. */
  async function atMaster<T>(work: (redis: Redis) => Promise<T>): Promise<T> {
    const atWork = async () => ({ done: await work((await topology.master()).admin) });
    return (await eventually(atWork, { intervalMs: 100 })).done;
  }

  async function lookUp(id: string): Promise<PublishJob | undefined> {
    return await atMaster(async (redis) => await createLedgerReader({ redis, keys }).read(id));
  }

  return {
    folder,
    /** Serves the files of the folder over HTTP. */
    web,
    recovery,
    topology,
    /** Asks the master of our keys, past everything that is broken. */
    atMaster,
    simulator,
    publisher,
    /** Where the web server is, if there is one. */
    publicBaseUrl,

    /** A new TikTok user whose tokens the vault holds under a name. @returns the user's open_id */
    async addAccount(account: string, profile: Parameters<typeof simulator.addAccount>[0] = {}): Promise<string> {
      const tokens = simulator.addAccount(profile);
      profiles.set(tokens.openId, profile);
      await atMaster(async (redis) => {
        const vault = createAccountVault({ redis, keys, sealer: createSealer([encryptionKey]) });
        await vault.add({
          account,
          openId: tokens.openId,
          accessToken: tokens.accessToken,
          expiresInSeconds: tokens.expiresIn,
          refreshToken: tokens.refreshToken,
          refreshExpiresInSeconds: tokens.refreshExpiresIn,
          scope: tokens.scope,
        });
        await redis.wait(topology.replicas, 0);
      });
      return tokens.openId;
    },

    /** Connects the TikTok user of an account again, as a person does by the web server. */
    async reconnect(account: string, openId: string): Promise<void> {
      const { accessToken, refreshToken, scope } = simulator.addAccount({ ...profiles.get(openId), openId });
      await site?.accounts.connect({ account, openId, accessToken, refreshToken, scope });
    },

    /** Starts a worker; see `waitFor` for when it takes jobs. */
    startWorker(worker: StartWorkerOptions = {}): ChaosProcess {
      const { onNotice, traps = [], ...changed } = worker;
      const settings: WorkerSettings = { ...serviceSettings, ...changed, traps: [...traps] };
      return start('worker-process', settings, onNotice);
    },

    /** Starts a worker and waits until it takes jobs. One that does not reach Redis in time ends; then comes another. */
    async startReadyWorker(worker: StartWorkerOptions = {}): Promise<ChaosProcess> {
      for (;;) {
        const started = this.startWorker(worker);
        const isReady = started.waitFor(({ kind }) => kind === 'ready').then(() => true);
        const end = await Promise.race([isReady.catch(() => false), started.ended]);
        if (end === true) return started;
        const { code, signal } = await started.ended;
        if (code !== REDIS_AWAY_EXIT_CODE) throw new Error(`a worker ended before it was ready (${signal ?? code})`);
      }
    },

    /** Has another process enqueue a request and die; resolves when it is dead, also if it found no Redis. */
    async enqueueAndDie(
      wish: { request: PublishRequest } & Pick<EnqueuerSettings, 'idempotencyKey' | 'killed'>,
    ): Promise<void> {
      const settings: EnqueuerSettings = { ...processSettings, ...wish };
      await start('enqueuer-process', settings).ended;
    },

    /** The job as the master has it. */
    lookUp,

    /** The job as soon as it has its outcome; Redis may be away meanwhile. */
    async outcomeOf(id: string, timeoutMs = 60_000): Promise<PublishJob> {
      return await eventually(
        async () => {
          const job = await lookUp(id);
          if (job === undefined) throw new Error(`job ${id} is gone`);
          if (!isEnded(job)) throw new Error(`job ${id} is still ${job.state}`);
          return job;
        },
        { timeoutMs, intervalMs: 100 },
      );
    },

    /** Completion events of a job, oldest first. */
    async eventsOf(id: string): Promise<PublishEvent[]> {
      const entries = await atMaster((redis) => redis.xrange(keys.events, '-', '+'));
      return entries
        .map(([, fields]): PublishEvent => JSON.parse(fields[fields.indexOf('event') + 1] ?? ''))
        .filter(({ subject }) => subject === id);
    },

    async close({ keepFolder = false } = {}): Promise<void> {
      for (const started of processes) if (!started.hasEnded()) started.signal('SIGKILL');
      await Promise.all(processes.map(({ ended }) => ended));
      await publisher.close();
      await site?.app.close();
      await topology.close();
      await simulator.close();
      await web.close();
      if (!keepFolder) await rm(folder, { recursive: true, force: true });
    },
  };
}
