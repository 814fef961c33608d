import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, type TestContext } from 'vitest';
import { z } from 'zod';
import { openClient } from '../../src/app/open-client.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { createQueues } from '../../src/ledger/queues/queues.ts';
import { type AccountTokens, startSimulator } from '../../src/simulator/index.ts';
import { type RunningCommand, runCommand, startCommand } from '../e2e/cli/command.ts';
import { startCallbackReceiver } from '../support/callback-receiver.ts';
import { openEvents } from '../support/event-source.ts';
import { eventually, PATIENTLY } from '../support/eventually.ts';
import { startMediaWebServer } from '../support/media-web-server.ts';
import { makeVideo, sha256OfFile } from '../support/videos.ts';

type Settings = Readonly<Record<string, string>>;

/** A Redis, or several, and how to reach them. */
export interface Way {
  /** Settings of workers, web server and commands that need the same rights. */
  readonly settings: Settings;
  /** Settings of commands that only enqueue and look; by default the same. */
  readonly enqueuer?: Settings;
  /** Goes wrong while jobs run; resolves once it is over. */
  readonly mishap?: () => Promise<void>;
  /** Must hold when all jobs are over. */
  readonly verify?: () => Promise<void>;
}

interface SuiteOptions {
  /** What `doctor` must call the server; by default a Redis. */
  readonly engine?: string;
  /** Whether a worker is killed in the middle of an upload, which takes ten seconds longer. */
  readonly withKill: boolean;
}

const announcement = z.looseObject({ url: z.string() });
const jobSchema = z.looseObject({ id: z.string(), state: z.string() });
const pageSchema = z.looseObject({ jobs: z.array(jobSchema) });
const doctorSchema = z.looseObject({ findings: z.array(z.looseObject({ level: z.string(), message: z.string() })) });

const VIDEO_BYTES = 12_000_000;
const CHUNK_BYTES = 5_000_000;
const POST = { privacyLevel: 'SELF_ONLY' } as const;
/** Each look is a request to the web server. */
const LOOKING = { intervalMs: 250 } as const;
const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1_000).toISOString();

/**
 * What people do with the program, through its own processes, on one kind of Redis: publish a file, a video from a URL
 * whose worker is killed, photos and a pull; cancel, retry, schedule, lose a queue entry, follow events, get a callback,
 * search and wait. Each post must be at TikTok once, and each state must be true.
 */
export async function runJobSuite(
  way: Way,
  { withKill, engine = 'Redis' }: SuiteOptions,
  test: Pick<TestContext, 'onTestFinished'>,
) {
  const world = await openWorld(way, test);
  const { simulator, api, enqueue, stateOf, tokensOf } = world;
  const large = await makeVideo(world.folder, VIDEO_BYTES);
  const sha256 = await sha256OfFile(large);
  await world.addAccounts(['file', 'url', 'photos', 'pull', 'cancel', 'retry', 'delayed', 'sweep', 'after']);
  const posted: string[] = [];

  let worker = world.start(['worker']);
  const server = world.start(['server', '--json']);
  const [{ url }] = await Promise.all([
    server.document().then((document) => announcement.parse(document)),
    worker.printed('Workers run'),
  ]);
  world.serve(url);
  const events = await eventually(async () => {
    // A server whose idle connection Redis has just closed answers 503.
    const opened = await openEvents(`${url}/v1/events`, {}, test);
    expect(opened.status).toBe(200);
    return opened;
  });

  /** Follows the stream until each of these jobs has had an event of a type. */
  async function followed(ids: readonly string[], type: string): Promise<void> {
    const missing = new Set(ids);
    while (missing.size > 0) {
      const next = await events.next();
      if (next === undefined) throw new Error(`the stream of events ended without ${type} of ${[...missing]}`);
      if (next.type === type) missing.delete(next.event.subject);
    }
  }

  const fromUrl = { media: { type: 'url', url: world.web.url(large) } } as const;
  if (withKill) {
    const { openId } = tokensOf('url');
    const stall = { when: { openId, chunkIndex: 1 }, act: { kind: 'stall' } } as const;
    simulator.faults.add({ endpoint: 'upload', ...stall });
    posted.push(await enqueue('url', fromUrl));
    await simulator.journal.waitFor((entry) => entry.openId === openId && entry.httpStatus === 206, PATIENTLY);
    worker.kill('SIGKILL');
    await worker.ended;
    worker = world.start(['worker']);
    await worker.printed('Workers run');
  } else {
    posted.push(await enqueue('url', fromUrl));
  }

  const failing = simulator.faults.add({
    endpoint: 'video_init',
    when: { openId: tokensOf('retry').openId, times: 'always' },
    act: { kind: 'fail_processing', failReason: 'duration' },
  });
  const file = { media: { type: 'file', path: large } } as const;
  const byCommand = ['publish', large, '--account', 'file', '--privacy', 'self-only', '--wait', '--json'];
  const waited = runCommand(byCommand, world.enqueuer);
  const byInit = {
    photos: await enqueue('photos', { media: { type: 'photos', urls: ['https://example.com/a.jpg'] } }),
    pull: await enqueue('pull', { media: { type: 'pull', url: 'https://example.com/a.mp4' } }),
  };
  const cancelled = await enqueue('cancel', { ...file, scheduledAt: inSeconds(3_600) });
  const retried = await enqueue('retry', file);
  posted.push(retried);
  posted.push(await enqueue('delayed', { ...file, scheduledAt: inSeconds(2) }));
  const lost = await enqueue('sweep', { ...file, scheduledAt: inSeconds(4) });
  posted.push(lost);
  await world.loseEntry(lost);

  // A command whose Redis changes before it has enqueued tells that, and ends.
  await eventually(async () => {
    const { jobs } = pageSchema.parse(await api('GET', '/v1/publishes?account=file'));
    expect(jobs).toHaveLength(1);
  }, LOOKING);
  await way.mishap?.();

  posted.push(await enqueue('after', file));
  await eventually(() => api('POST', `/v1/publishes/${cancelled}/cancel`), LOOKING);
  await eventually(async () => expect(await stateOf(retried)).toBe('failed'), LOOKING);
  failing.remove();
  await eventually(() => api('POST', `/v1/publishes/${retried}/retry`), LOOKING);
  const { exitCode, stdout, stderr } = await waited;
  expect({ exitCode, stderr, stdout }).toMatchObject({ exitCode: 0 });
  const byHand = jobSchema.parse(JSON.parse(stdout)).id;
  // A command that waits through a failover says so.
  if (way.mishap === undefined) expect(stderr).toBe(`job ${byHand}\n`);
  await Promise.all(posted.map((id) => eventually(async () => expect(await stateOf(id)).toBe('published'), LOOKING)));
  // The answer to an init may be lost in a failover, and a second init could post twice.
  const mayBe = way.mishap === undefined ? ['published'] : ['published', 'unconfirmed'];
  const inDoubt: string[] = [];
  for (const [account, id] of Object.entries(byInit)) {
    await eventually(async () => expect(mayBe).toContain(await stateOf(id)), LOOKING);
    if ((await stateOf(id)) === 'unconfirmed') inDoubt.push(account);
  }
  expect(await stateOf(cancelled)).toBe('cancelled');

  const found = await api('GET', '/v1/publishes?metadata.suite=topologies&state=published,unconfirmed&limit=100');
  const idsFound = pageSchema.parse(found).jobs.map(({ id }) => id);
  expect(idsFound.toSorted()).toEqual([...posted, ...Object.values(byInit)].toSorted());
  await followed([...posted, byHand], 'publish.published');
  await eventually(() => {
    const told = world.receiver.received.filter(({ body }) => posted.some((id) => body.includes(id)));
    const ends = told.filter(({ body }) => body.includes('publish.published'));
    expect(new Set(ends.map(({ id }) => id)).size).toBe(posted.length);
  });
  expectOnePostEach(world, sha256, inDoubt);
  await way.verify?.();

  const doctor = await runCommand(['doctor', '--json'], world.service);
  const problems = doctorSchema.parse(JSON.parse(doctor.stdout)).findings.filter(({ level }) => level === 'problem');
  expect(problems).toEqual([]);
  expect(doctor.stdout).toContain(engine);
  for (const service of [worker, server]) service.kill('SIGTERM');
  for (const service of [worker, server]) expect(await service.ended).toMatchObject({ exitCode: 0 });
}

type World = Awaited<ReturnType<typeof openWorld>>;

/** Of a job whose init may have been lost, nobody knows whether it posted; more than one post it never has. */
function expectOnePostEach({ simulator, accounts }: World, sha256: string, inDoubt: readonly string[]): void {
  const posts = simulator.journal.posts();
  const counts = [...accounts].map(([name, { openId }]) => {
    const count = posts.filter((post) => post.openId === openId).length;
    return [name, inDoubt.includes(name) && count === 0 ? 1 : count];
  });
  expect(counts).toEqual([...accounts.keys()].map((name) => [name, name === 'cancel' ? 0 : 1]));
  const uploads = simulator.journal.publishes().filter(({ completeUploads }) => completeUploads > 0);
  expect(new Set(uploads.map((upload) => upload.sha256))).toEqual(new Set([sha256]));
}

/** TikTok, a web server with videos, a receiver of callbacks and the program's processes. */
async function openWorld(way: Way, { onTestFinished }: Pick<TestContext, 'onTestFinished'>) {
  const folder = await mkdtemp(join(tmpdir(), 'topologies-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const simulator = await startSimulator({ processingMs: 1_000, switches: { pullUrlRules: 'off' } });
  onTestFinished(() => simulator.close());
  const web = await startMediaWebServer(folder);
  onTestFinished(() => web.close());
  const receiver = await startCallbackReceiver();
  onTestFinished(() => receiver.close());
  const common = {
    ENCRYPTION_KEYS: randomBytes(32).toString('base64'),
    TIKTOK_API_BASE_URL: simulator.url,
    TIKTOK_CLIENT_KEY: simulator.clientKey,
    TIKTOK_CLIENT_SECRET: simulator.clientSecret,
    OUTBOUND_ALLOW_HOSTS: [...web.allowHosts, receiver.host].join(','),
    CHUNK_SIZE_BYTES: String(CHUNK_BYTES),
    MEDIA_ROOTS: folder,
    METADATA_INDEX: 'suite',
    PREFLIGHT: 'off',
    API_RATE_LIMIT_PER_MINUTE: '1000000',
    PORT: '0',
    LOG_LEVEL: 'warn',
  };
  const service = { ...common, ...way.settings };
  const accounts = new Map<string, AccountTokens>();
  const started: RunningCommand[] = [];
  onTestFinished(async () => {
    for (const command of started) command.kill('SIGKILL');
    await Promise.all(started.map(({ ended }) => ended));
  });
  let site = '';

  async function api(method: string, path: string, body?: unknown, key?: string): Promise<unknown> {
    const headers = { 'content-type': 'application/json', ...(key && { 'idempotency-key': key }) };
    const answer = await fetch(site + path, {
      method,
      headers,
      body: JSON.stringify(body ?? {}),
      ...(method === 'GET' && { body: null }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return JSON.parse(text);
  }

  async function withClient<T>(work: (client: Awaited<ReturnType<typeof openClient>>) => Promise<T>): Promise<T> {
    const client = await openClient(loadConfig({ ...service, LOG_LEVEL: 'silent' }));
    try {
      return await work(client);
    } finally {
      await client.close();
    }
  }

  return {
    ...{ folder, simulator, web, receiver, service, accounts, api },
    enqueuer: { ...common, ...(way.enqueuer ?? way.settings) },

    start(args: readonly string[]): RunningCommand {
      const command = startCommand(args, service);
      started.push(command);
      return command;
    },

    serve(url: string): void {
      site = url;
    },

    async addAccounts(names: readonly string[]): Promise<void> {
      await withClient(async ({ vault }) => {
        for (const account of names) {
          const tokens = simulator.addAccount();
          const { openId, accessToken, refreshToken, expiresIn: expiresInSeconds } = tokens;
          await vault.add({ account, openId, accessToken, refreshToken, expiresInSeconds });
          accounts.set(account, tokens);
        }
      });
    },

    tokensOf(account: string): AccountTokens {
      const tokens = accounts.get(account);
      if (tokens === undefined) throw new Error(`no account ${account}`);
      return tokens;
    },

    /** Enqueues over the API, with a key and again until it is accepted. @returns the job's id */
    async enqueue(account: string, request: object): Promise<string> {
      const whole = {
        ...{ account, mode: 'direct', post: POST, metadata: { suite: 'topologies' }, callbackUrl: receiver.url },
        ...request,
      };
      return jobSchema.parse(await eventually(() => api('POST', '/v1/publishes', whole, `key-${account}`), LOOKING)).id;
    },

    stateOf: async (id: string): Promise<string> => jobSchema.parse(await api('GET', `/v1/publishes/${id}`)).state,

    /** Removes the queue's entry of a job, as a restored or flushed queue would miss it. */
    async loseEntry(id: string): Promise<void> {
      await withClient(async ({ redis, app }) => {
        const queues = createQueues({ connection: redis, prefix: app.config.queuePrefix });
        expect(await queues.publish.remove(id)).toBe(1);
        await queues.close();
      });
    },
  };
}
