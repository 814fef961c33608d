import { describe, expect, it } from 'vitest';
import { packageOf, sourceFiles } from './source-files.ts';

const files = sourceFiles('src');
/** The chaos and fidelity runs do harm while jobs run, and the scale proofs pace their load: both must wait for time. */
const tests = sourceFiles('test').filter(({ path }) => !/^test\/(architecture|chaos|fidelity|scale)\//.test(path));

/** Something that one place answers for. */
interface Owned {
  readonly thing: string;
  readonly pattern: RegExp;
  /** Where the rule holds; all of src unless told. */
  readonly within?: string;
  /** Files, and folders with a slash at the end. */
  readonly owners: readonly string[];
  readonly why: string;
}

const OWNED: readonly Owned[] = [
  {
    thing: 'the environment of the process',
    pattern: /\bprocess\.env\b|\benv\s*\}\s*=\s*process\b/,
    owners: ['src/config/', 'src/producers/index.ts', 'src/app/stand-alone-workers.ts'],
    why: 'every setting is described, checked and documented in src/config',
  },
  {
    thing: 'building what is kept in Redis',
    pattern:
      /(?<!function )\b(createQueues|createLedger|createLedgerReader|createLedgerVersionStore|createLanes|createAccountNames|createReservations|createCaps|createCreatorCache)\(/,
    owners: ['src/app/redis-parts.ts'],
    why: 'each part is built once, so that whoever changes how it is built changes one line',
  },
  {
    thing: 'building what deals with accounts',
    pattern: /(?<!function )\b(createAccountVault|createVaultTokenSource|createManagedAccounts|createConnectLinks)\(/,
    owners: ['src/app/account-parts.ts'],
    why: 'the same',
  },
  {
    thing: 'opening the confirmation',
    pattern: /(?<!function )\bopenConfirmation\(/,
    owners: ['src/app/redis-access.ts'],
    why: 'a process has one: writes of all its parts are confirmed in the same groups',
  },
  {
    thing: 'connections to Redis',
    pattern: /\bnew (Redis|Cluster|IORedis)\(/,
    owners: ['src/redis/connections.ts'],
    why: 'a connection has a role, which decides who waits while Redis is away',
  },
  {
    thing: 'keys of Redis',
    pattern: /\$\{(\w+\.)?(queueP|p)refix\}:/,
    owners: ['src/redis/keys.ts'],
    why: 'who wants to know what lies in Redis reads one file',
  },
  {
    thing: "BullMQ's control-flow errors",
    pattern: /\b(DelayedError|UnrecoverableError|WaitingError|WaitingChildrenError|RateLimitError)\b/,
    owners: ['src/workers/runtime/settle-job.ts'],
    why: 'thrown at the wrong moment they lose a job; so workers answer with a settlement and one file throws',
  },
  {
    thing: 'names of metrics',
    pattern: /['"`](tiktok|bullmq)_[a-z_]+['"`]/,
    owners: ['src/observability/metrics.ts'],
    why: 'dashboards rely on them',
  },
  {
    thing: 'timers in workers',
    pattern: /\bsetTimeout\b|node:timers/,
    within: 'src/workers/',
    owners: [
      'src/callbacks/callback-relay.ts',
      'src/workers/runtime/start-workers.ts',
      // Between two seconds of an operation: no job is held.
      'src/workers/runtime/run-operations.ts',
      // Between two looks at the ledger's version: no job is held.
      'src/workers/runtime/ledger-guard.ts',
      'src/workers/runtime/replace-stuck.ts',
      'src/workers/runtime/sweep.ts',
      // Between two fetches that Redis refused: no job is held.
      'src/workers/runtime/watched-worker.ts',
    ],
    why: 'nobody waits while holding a slot: a job that has to wait goes back to the queue',
  },
  {
    thing: 'races against time or abort',
    pattern: /\bPromise\.race\(/,
    owners: [
      'src/core/deadline.ts',
      // One that ends when a program ends, a stream begins or a command is stopped, whichever comes first.
      'src/embedded-redis/embedded-redis.ts',
      'src/http/v1/event-routes.ts',
      'src/cli/serve.ts',
      'src/workers/runtime/start-workers.ts',
    ],
    why: 'a timer or listener that is left behind holds a process or leaks',
  },
  {
    thing: 'what TikTok may have of a post',
    pattern: /\blastChunkStartedAt\b|\bsession\.kind\b/,
    owners: [
      'src/core/session.ts',
      'src/core/exposure.ts',
      'src/core/retry-plan.ts',
      // Store and read the session.
      'src/ledger/encode-patch.ts',
      'src/ledger/record.ts',
      // Goes on in a session that it was given, and opens its upload URL.
      'src/workers/publish/chunk-loop.ts',
      'src/workers/publish/init-publish.ts',
      // Compares two records of one job.
      'src/workers/runtime/job-memory.ts',
    ],
    why: 'whether a post may appear is read out of its session in one place, see exposureOf',
  },
  {
    thing: 'codes of errors',
    pattern: /'code' in \w+/,
    owners: ['src/core/system-error.ts'],
    why: 'what counts as a code is decided once',
  },
  {
    thing: 'where a request comes from',
    pattern: /sec-fetch-site/,
    owners: ['src/http/request-origin.ts'],
    why: 'a check against forged requests must not have a weaker copy',
  },
  {
    thing: 'why an account holds its jobs back',
    pattern: /reauthorizationRequiredAt/,
    owners: ['src/accounts/'],
    why: 'the layout of an account is known to its folder alone',
  },
  {
    thing: 'loading code when it is called for',
    pattern: /\bimport\(/,
    owners: [
      'src/app/',
      'src/cli/program.ts',
      'src/cli/add-accounts.ts',
      'src/cli/add-keys.ts',
      'src/cli/add-operations.ts',
      'src/cli/add-steering.ts',
      'src/cli/commands/demo.ts',
      'src/simulator/test-kit.ts',
      'src/workers/index.ts',
      // Packages that most processes never need.
      'src/embedded-redis/provide-redis.ts',
      'src/media/s3-source.ts',
      'src/observability/logger.ts',
      'src/sealing/jwe.ts',
    ],
    why: 'what an import brings along is decided at the edge of the package, and circles of imports stay visible',
  },
  {
    thing: 'writing to the console',
    pattern: /\bconsole\b\s*(\.\w|[,;])/,
    owners: ['src/observability/logger.ts'],
    why: 'libraries log through the logger they are given, commands print through their output',
  },
  {
    thing: 'notes to ourselves',
    pattern: /\b(TODO|FIXME|XXX|HACK)\b/,
    owners: [],
    why: 'what is missing is an issue',
  },
];

describe('one owner', () => {
  it.each(OWNED)('for $thing', ({ pattern, within = 'src/', owners, why }) => {
    const users = files.filter(({ path, code }) => path.startsWith(within) && pattern.test(code));
    const elsewhere = users.filter(({ path }) => !isOwned(path, owners)).map(({ path }) => path);
    expect(elsewhere, why).toEqual([]);
  });

  it.each(OWNED)('for $thing, and none that no longer needs it', ({ pattern, owners }) => {
    const idle = owners.filter(
      (owner) => !files.some(({ path, code }) => isOwned(path, [owner]) && pattern.test(code)),
    );
    expect(idle).toEqual([]);
  });
});

/** Which files and folders may import a package at run time; types are free. */
const PACKAGE_OWNERS: Readonly<Record<string, readonly string[]>> = {
  '@aws-sdk/client-s3': ['src/media/s3-source.ts'],
  '@bull-board/api': ['src/http/board.ts', 'src/http/board-adapter.ts'],
  '@bull-board/fastify': ['src/http/board.ts'],
  '@fastify/basic-auth': ['src/http/operator-guard.ts'],
  '@fastify/cookie': ['src/http/access/sessions.ts'],
  '@fastify/rate-limit': ['src/http/limit-rate.ts'],
  '@fastify/session': ['src/http/access/sessions.ts'],
  '@fastify/swagger': ['src/http/v1/api.ts'],
  '@fastify/swagger-ui': ['src/http/v1/docs-page.ts'],
  '@opentelemetry/api': ['src/observability/otel-traces.ts'],
  '@opentelemetry/exporter-trace-otlp-http': ['src/observability/otel-traces.ts'],
  '@opentelemetry/resources': ['src/observability/otel-traces.ts'],
  '@opentelemetry/sdk-trace-node': ['src/observability/otel-traces.ts'],
  bullmq: ['src/ledger/queues/', 'src/workers/runtime/watched-worker.ts', 'src/workers/runtime/settle-job.ts'],
  'bullmq-otel': ['src/observability/otel-traces.ts'],
  'cli-progress': ['src/cli/'],
  commander: ['src/cli/'],
  fastify: ['src/http/'],
  'fastify-type-provider-zod': ['src/http/v1/api.ts'],
  'ipaddr.js': ['src/outbound/'],
  ioredis: ['src/redis/'],
  jose: ['src/sealing/jwe.ts'],
  'js-redis-server': ['src/embedded-redis/provide-redis.ts'],
  'lossless-json': ['src/tiktok/', 'src/simulator/'],
  'p-retry': ['src/tiktok/retry.ts'],
  picocolors: ['src/cli/'],
  pino: ['src/observability/logger.ts'],
  'pino-pretty': ['src/observability/readable-lines.ts'],
  'prom-client': ['src/observability/metrics.ts', 'src/observability/sampled-gauges.ts'],
  'safe-stable-stringify': ['src/core/request-digest.ts'],
  undici: ['src/media/', 'src/outbound/', 'src/tiktok/'],
  standardwebhooks: ['src/callbacks/signer.ts'],
  uuid: ['src/producers/enqueue.ts'],
  zod: [''],
};

describe('a package', () => {
  it('is imported only where it belongs', () => {
    const astray = files.flatMap(({ path, imports }) =>
      imports
        .filter(({ isTypeOnly }) => !isTypeOnly)
        .flatMap(({ specifier }) => packageOf(specifier) ?? [])
        .filter((name) => !isOwned(path, PACKAGE_OWNERS[name] ?? []))
        .map((name) => `${path} imports ${name}`),
    );
    expect(astray).toEqual([]);
  });
});

describe('a test', () => {
  it('waits for events, never for time: only `eventually` sleeps', () => {
    const sleepers = tests.filter(({ code }) => /\bsetTimeout\b|\bsleep\b/.test(code)).map(({ path }) => path);
    // A load that keeps its pace is no test that waits, nor is a link that delays what passes it.
    const paced = ['test/soak/soak.test.ts', 'test/support/redis-proxy/link.ts'];
    expect(sleepers.filter((path) => !paced.includes(path))).toEqual(['test/support/eventually.ts']);
  });

  it('runs, and runs with all others', () => {
    const restricted = tests.filter(({ code }) => /\b(it|test|describe)\.(only|skip|todo|fails)\b/.test(code));
    expect(restricted.map(({ path }) => path)).toEqual([]);
  });
});

function isOwned(path: string, owners: readonly string[]): boolean {
  return owners.some((owner) => (owner === '' || owner.endsWith('/') ? path.startsWith(owner) : path === owner));
}
