/** What a folder of `src` may import from the others. Imports within a folder are free, circles apart. */
export interface ImportRule {
  /** Folders it may use at run time. */
  readonly uses: readonly string[];
  /** Folders of which it may know the types only. */
  readonly knows: readonly string[];
  readonly why: string;
}

/** The import directions. ARCHITECTURE.md shows this table and a test compares the two. */
export const IMPORT_RULES: Readonly<Record<string, ImportRule>> = {
  core: { uses: [], knows: [], why: 'decisions are pure, so they can be tested for every case' },
  config: { uses: ['core'], knows: [], why: 'settings are read before anything exists' },
  redis: { uses: ['core'], knows: ['config'], why: 'a connection knows nothing of what is stored' },
  'embedded-redis': {
    uses: ['core', 'redis'],
    knows: ['config'],
    why: 'a Redis of our own is a program like any other',
  },
  ledger: {
    uses: ['core', 'redis', 'limits', 'accounts'],
    knows: [],
    why: 'what is true does not depend on who asks or acts',
  },
  limits: {
    uses: ['core', 'redis', 'accounts', 'tiktok'],
    knows: [],
    why: 'whose turn it is, and what TikTok allows an account now, whatever a job is',
  },
  accounts: { uses: ['core', 'redis'], knows: [], why: 'tokens leave through one port of the core' },
  sealing: {
    uses: ['core'],
    knows: ['redis'],
    why: 'who enqueues seals, who publishes opens, and they share no secret',
  },
  callbacks: {
    uses: ['core', 'outbound', 'observability'],
    knows: ['redis', 'ledger'],
    why: 'what is sent to callback URLs, and remembered of it, is the same for workers and for people',
  },
  'tiktok-webhooks': {
    uses: ['core', 'accounts', 'tiktok'],
    knows: ['redis', 'ledger'],
    why: 'one room says which webhook does what: a post wakes its poll, and an account that was given up is marked',
  },
  tiktok: { uses: ['core', 'outbound'], knows: [], why: 'the API client works without queue and Redis' },
  media: { uses: ['core', 'outbound'], knows: [], why: 'where bytes come from has nothing to do with where they go' },
  outbound: { uses: ['core'], knows: [], why: 'which hosts may be reached has nothing to do with what is sent there' },
  observability: { uses: ['core'], knows: [], why: 'what is measured is told by those who know it' },
  simulator: {
    uses: ['app'],
    knows: ['producers'],
    why: 'an island, so that it shares no mistake with what it tests; only the test kit opens the program beside it',
  },
  producers: {
    uses: ['core', 'config', 'redis', 'limits', 'ledger', 'sealing', 'outbound', 'app'],
    knows: ['accounts'],
    why: 'other apps load this: no worker, server or upload code comes with it, and what speaks to TikTok only when called',
  },
  workers: {
    uses: ['core', 'config', 'limits', 'ledger', 'callbacks', 'tiktok', 'observability', 'app'],
    knows: ['redis', 'accounts', 'tiktok-webhooks'],
    why: 'processors are given what they work with',
  },
  http: {
    uses: ['core', 'accounts'],
    knows: ['redis', 'observability', 'producers', 'callbacks', 'tiktok-webhooks'],
    why: 'it shows what it is handed; what an account is made of is said in one place',
  },
  app: {
    uses: [
      'core',
      'config',
      'redis',
      'embedded-redis',
      'limits',
      'ledger',
      'accounts',
      'sealing',
      'callbacks',
      'tiktok-webhooks',
      'tiktok',
      'media',
      'outbound',
      'observability',
      'producers',
      'workers',
      'http',
    ],
    knows: [],
    why: 'the one place where the parts are put together',
  },
  cli: {
    uses: [
      'core',
      'config',
      'redis',
      'ledger',
      'accounts',
      'sealing',
      'tiktok',
      'media',
      'simulator',
      'workers',
      'app',
    ],
    knows: ['producers'],
    why: 'a command opens what it needs through app',
  },
};

/** The files of a folder that alone may use some of what its rule allows: the package's entries open the whole program. */
export const ENTRY_FILES: Readonly<
  Record<string, { readonly uses: readonly string[]; readonly files: readonly string[] }>
> = {
  producers: { uses: ['app', 'config'], files: ['src/producers/index.ts'] },
  simulator: { uses: ['app'], files: ['src/simulator/test-kit.ts'] },
  workers: { uses: ['app', 'config'], files: ['src/workers/index.ts'] },
};
