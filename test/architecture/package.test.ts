import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { loadedModules } from './loaded-modules.ts';
import { REPOSITORY, readRepositoryFile } from './source-files.ts';

const manifest = z
  .object({
    license: z.string(),
    bin: z.record(z.string(), z.string()),
    exports: z.record(z.string(), z.union([z.string(), z.object({ types: z.string(), default: z.string() })])),
    types: z.string(),
    typesVersions: z.object({ '*': z.record(z.string(), z.tuple([z.string()])) }),
    files: z.array(z.string()),
  })
  .parse(JSON.parse(readRepositoryFile('package.json')));

/** The source of a file that the build makes. */
function sourceOf(built: string): string {
  if (built === manifest.bin['tiktok-publisher']) return 'src/cli/main.ts';
  const inside = built.replace(/^\.\//, '').replace(/^dist\//, 'src/');
  return inside.replace(/(\.d\.ts|\.js)$/, '.ts');
}

/** npm takes these along whatever `files` says. */
const CARRIED = [...manifest.files, 'README.md', 'LICENSE', 'package.json'];

function shippedPages(): string[] {
  return CARRIED.flatMap((path) => {
    if (path.endsWith('.md')) return [path];
    if (!/^(docs|examples|deploy)$/.test(path)) return [];
    const names = readdirSync(join(REPOSITORY, path), { recursive: true, encoding: 'utf8' });
    return names.filter((name) => name.endsWith('.md')).map((name) => join(path, name));
  });
}

describe('the package', () => {
  it('exports and runs only what the build makes', () => {
    const built = [
      ...Object.values(manifest.bin),
      ...Object.values(manifest.exports).flatMap((target) => (typeof target === 'string' ? [] : Object.values(target))),
    ];
    expect(built.length).toBeGreaterThan(4);
    expect(built.filter((path) => !path.replace(/^\.\//, '').startsWith('dist/'))).toEqual([]);
    expect(built.map(sourceOf).filter((path) => !existsSync(join(REPOSITORY, path)))).toEqual([]);
  });

  it('names its types also where TypeScript does not read exports (moduleResolution "node", as Next.js 15 sets it)', () => {
    const old = { '.': manifest.types, ...manifest.typesVersions['*'] };
    const named = Object.entries(old).map(([name, target]) => [name.replace(/^(?=\w)/, './'), String(target)]);
    const exported = Object.entries(manifest.exports).flatMap(([name, target]) =>
      typeof target === 'string' ? [] : [[name, target.types]],
    );
    expect(named).toEqual(exported);
  });

  it('carries only what exists', () => {
    const carried = manifest.files.filter((path) => path !== 'dist').map((path) => path.replace(/^!/, ''));
    expect(carried.filter((path) => !existsSync(join(REPOSITORY, path)))).toEqual([]);
  });

  it.each(shippedPages())('carries all files that %s links to', (page) => {
    const links = [...readRepositoryFile(page).matchAll(/\]\(([^)\s#]+)[^)\s]*\)/g)].map(([, target = '']) => target);
    const files = links
      // Registries show the pictures of a README from its repository.
      .filter((target) => !/^https?:|\.png$/.test(target))
      .map((target) => relative(REPOSITORY, join(REPOSITORY, dirname(page), target)));
    const isCarried = (file: string) => CARRIED.some((path) => file === path || file.startsWith(`${path}/`));
    expect(files.filter((file) => !isCarried(file))).toEqual([]);
  });
});

/** Compiling takes its time on a machine that has other things to do (ms). */
const COMPILE_TIMEOUT_MS = 60_000;

/** What must not come with an entry point, and the rooms of ours that may. */
const ENTRIES: readonly {
  readonly name: string;
  readonly rooms: readonly string[];
  readonly never?: readonly string[];
  /** All packages that come with it, where that is known exactly. */
  readonly only?: readonly string[];
}[] = [
  {
    name: '.',
    rooms: [
      'accounts/account-hold',
      'app',
      'config',
      'core',
      'limits/lanes',
      'limits/lane-scripts',
      'limits/wake-jobs',
      'ledger',
      'producers',
      'redis',
    ],
    // BullMQ and the Redis client come with the first call: they take two thirds of the time of loading.
    only: ['safe-stable-stringify', 'uuid', 'zod'],
  },
  {
    name: './tiktok',
    rooms: ['core', 'tiktok', 'outbound/proxied-agent'],
    never: ['bullmq', 'ioredis', 'fastify', 'pino', 'prom-client', 'commander'],
  },
  {
    name: './simulator',
    rooms: ['simulator'],
    never: ['bullmq', 'ioredis', 'undici', 'fastify', 'pino', 'prom-client', 'commander'],
  },
  {
    name: './workers',
    rooms: ['config/config-error', 'core', 'workers'],
    // Everything comes with the first call.
    only: [],
  },
];

describe('an entry point', () => {
  it('of each name is looked at here', () => {
    const names = Object.keys(manifest.exports).filter((name) => name !== './package.json');
    expect(ENTRIES.map(({ name }) => name).sort()).toEqual(names.sort());
  });

  it.each(ENTRIES)(
    '$name loads nothing that its user does not need',
    { timeout: COMPILE_TIMEOUT_MS },
    async ({ name, rooms, never = [], only }) => {
      const target = manifest.exports[name];
      const built = typeof target === 'object' ? target.default : '';
      const { files, packages } = await loadedModules(sourceOf(built).replace(/^src\//, ''));
      expect(files.length).toBeGreaterThan(3);
      const isExpected = (file: string) => rooms.some((room) => file === room || file.startsWith(`${room}/`));
      expect(files.filter((file) => !isExpected(file))).toEqual([]);
      expect(packages.filter((loaded) => never.includes(loaded))).toEqual([]);
      if (only !== undefined) expect(packages).toEqual(only);
    },
  );
});

/** All that other programs may import, by entry point: what is not here may change without notice. */
const EXPORTS: Readonly<Record<string, { readonly values: readonly string[]; readonly types: readonly string[] }>> = {
  '.': {
    values: ['ConfigError', 'OLDEST_EVENT', 'PublishError', 'createPublisher'],
    types: [
      'AccountEventData',
      'AccountInput',
      'AccountSummary',
      'AskOptions',
      'AudioFacts',
      'BulkEntry',
      'CheckedPart',
      'ConnectLink',
      'ConnectLinkRequest',
      'ConnectedAccount',
      'CreatorInfo',
      'DirectPostSettings',
      'DirectRequest',
      'EnqueueOptions',
      'EnqueuedJob',
      'ErrorCode',
      'EventEntry',
      'EventFeed',
      'EventsOptions',
      'FileMedia',
      'InboxRequest',
      'InputProblem',
      'JobChanges',
      'JobCounts',
      'JobEventData',
      'JobFilter',
      'JobPage',
      'ListFilter',
      'ManagedAccounts',
      'Media',
      'MediaFacts',
      'Operation',
      'OperationKind',
      'OperationPreview',
      'OperationRefusal',
      'OperationRequest',
      'OperationState',
      'OperationTotals',
      'OperationWay',
      'Operations',
      'PauseRequest',
      'PhotoItem',
      'PhotosMedia',
      'PlannedJob',
      'PostSettings',
      'PostingPage',
      'PreflightFinding',
      'PreflightReport',
      'PreviewPage',
      'PrivacyLevel',
      'PublishEvent',
      'PublishEventType',
      'PublishFailure',
      'PublishJob',
      'PublishMode',
      'PublishRequest',
      'PublishState',
      'Publisher',
      'PublisherOptions',
      'PublishingPause',
      'PullMedia',
      'RemovedAccount',
      'RetriedJob',
      'RetryAction',
      'RetryOptions',
      'S3Media',
      'SafeDetails',
      'SettingProblem',
      'StartOptions',
      'StartedOperation',
      'TimelineEntry',
      'UrlMedia',
      'VideoFacts',
      'WaitOptions',
      'WaitReason',
    ],
  },
  './tiktok': {
    values: [
      'ERROR_TABLE',
      'MAX_VIDEO_BYTES',
      'PublishError',
      'chunkAt',
      'chunkIndexAtOffset',
      'createTikTokClient',
      'edgeForReport',
      'failReasonToErrorCode',
      'planChunks',
    ],
    types: [
      'BriefRetry',
      'CallContext',
      'Chunk',
      'ChunkPlan',
      'ClientCredentials',
      'CreatorInfo',
      'ErrorCode',
      'InitAnswer',
      'OnRequest',
      'PhotoSet',
      'PostSettings',
      'PutChunkAnswer',
      'PutChunkInput',
      'RequestObservation',
      'SafeDetails',
      'StatusAnswer',
      'TikTokClient',
      'TikTokClientOptions',
      'TikTokTimeouts',
      'TokenGrant',
      'VideoSource',
    ],
  },
  './simulator': {
    values: [
      'ENDPOINTS',
      'STAND_ALONE_OPEN_ID',
      'conformanceText',
      'createTestKit',
      'startSimulator',
      'startStandAloneSimulator',
      'switchesSchema',
    ],
    types: [
      'AccountProfile',
      'AccountTokens',
      'ChunkRecord',
      'ConformanceFinding',
      'ConformanceReport',
      'ConformanceRule',
      'ConformanceVerdict',
      'Endpoint',
      'FaultAct',
      'FaultHandle',
      'FaultRule',
      'Journal',
      'JournalEntry',
      'JournalFilter',
      'Outcome',
      'PostView',
      'PublishStatus',
      'PublishView',
      'RuleId',
      'Simulator',
      'SimulatorClock',
      'SimulatorLimits',
      'SimulatorOptions',
      'SimulatorSwitches',
      'TestKit',
      'TestKitOptions',
      'WebhookDelivery',
      'WebhookTarget',
    ],
  },
  './workers': {
    values: ['ConfigError', 'PublishError', 'createWorkers'],
    types: ['CreateWorkersOptions', 'Readiness', 'TokenSource', 'WorkerKind', 'Workers'],
  },
};

describe('what an entry point exports', () => {
  it.each(ENTRIES)('of $name is just what is listed here', async ({ name }) => {
    const target = manifest.exports[name];
    const source = sourceOf(typeof target === 'object' ? target.default : '');
    const values = Object.keys(await import(join(REPOSITORY, source))).sort();
    expect({ values, types: exportedTypes(readRepositoryFile(source)) }).toEqual(EXPORTS[name]);
  });
});

/** The names of types that a file exports, in order. */
function exportedTypes(text: string): string[] {
  const declared = [...text.matchAll(/^export (?:type|interface) (\w+)/gm)].map(([, name = '']) => name);
  const passedOn = [...text.matchAll(/^export (type )?\{([^}]*)\}/gm)].flatMap(([, isTypeOnly, names = '']) =>
    names
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '' && (isTypeOnly !== undefined || name.startsWith('type ')))
      .map((name) => name.replace(/^type |^.* as /, '')),
  );
  return [...declared, ...passedOn].sort();
}
