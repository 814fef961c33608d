/** Every Redis key of ours. All carry the prefix's hash tag, so that they share one slot with BullMQ's on a cluster. */
export type Keys = ReturnType<typeof createKeys>;

/** @param prefix `QUEUE_PREFIX`, a hash tag such as `{tiktok-publisher}` */
export function createKeys(prefix: string) {
  return {
    prefix,
    /** How all of ours begin. */
    start: `${prefix}:`,
    /** All of ours, as Redis's ACLs name them. */
    pattern: `${prefix}:*`,
    /** String: there for a moment, to find out what Redis lets us do. */
    probe: (id: string) => `${prefix}:probe:${id}`,
    /** Prefix of all keys of one run of `bench`: all of the above and below once more, apart from the real jobs. */
    benchRun: (id: string) => `${prefix}:bench:${id}`,
    /** Hash: the truth about one publish job. */
    job: (id: string) => `${prefix}:job:${id}`,
    /** List: what happened to one publish job, oldest first, as JSON. */
    timeline: (id: string) => `${prefix}:timeline:${id}`,
    /** String: the job that an idempotency key stands for. */
    idempotency: (digest: string) => `${prefix}:idempotency:${digest}`,
    /** Sorted sets of job ids by creation time. */
    allJobs: `${prefix}:jobs`,
    accountJobs: (account: string) => `${prefix}:jobs:account:${account}`,
    stateJobs: (state: string) => `${prefix}:jobs:state:${state}`,
    /** Sorted sets by which jobs are found, see src/ledger/index-names.ts; those of accounts and states are two of them. */
    jobIndex: (name: string) => `${prefix}:jobs:${name}`,
    /** String: there while all publishing is paused, with the reason, as JSON. */
    publishingPause: `${prefix}:publishing-pause`,
    /** Set: keys of metadata by which jobs are found (METADATA_INDEX), as the workers published them. */
    metadataIndex: `${prefix}:metadata-index`,
    /** Hash: how far the workers are with the indexes of jobs that other versions wrote. */
    indexBuild: `${prefix}:index-build`,
    /** Sorted set of job ids by the time the sweep should look at them. */
    due: `${prefix}:jobs:due`,
    /** Set: jobs of an account whose status is polled. */
    polledJobs: (account: string) => `${prefix}:jobs:polled:${account}`,
    /** String: the job that a publish_id of TikTok's belongs to. */
    publishId: (publishId: string) => `${prefix}:publish-id:${publishId}`,
    /** String: the job that a post of TikTok's came from. */
    postId: (postId: string) => `${prefix}:post-id:${postId}`,
    /** String: present while TikTok's reports of posts are known to arrive. */
    webhooksArrive: `${prefix}:webhooks-arrive`,
    /** Sorted set: jobs of an account that claimed a video, by when. */
    claimedVideo: (account: string, digest: string) => `${prefix}:claimed-video:${account}:${digest}`,
    /** Hash: which ledger this is and how far it is, so that a restored older one is noticed. */
    ledgerVersion: `${prefix}:ledger-mark`,
    /** Stream of completion events. */
    events: `${prefix}:events`,
    /** Stream: events on their way to callback URLs; a relay takes them out. */
    callbackOutbox: `${prefix}:callbacks:outbox`,
    /** Sorted set: ids of a job's events that its callback has not got yet, by revision. */
    undeliveredEvents: (id: string) => `${prefix}:callbacks:undelivered:${id}`,
    /** List: the last deliveries of a job's events, newest first, as JSON. */
    callbackLog: (id: string) => `${prefix}:callbacks:log:${id}`,
    /** Hash: how the deliveries to one callback endpoint went lately. */
    callbackEndpoint: (digest: string) => `${prefix}:callbacks:endpoint:${digest}`,
    /** Sorted set: digests of callback endpoints that are paused, by since when. */
    pausedEndpoints: `${prefix}:callbacks:paused`,
    /** Sorted set: callback URLs that answered 410, as digest and address, by since when. */
    disabledCallbacks: `${prefix}:callbacks:disabled`,
    /** Set: ids of events that wait for a paused endpoint. */
    endpointWaiting: (digest: string) => `${prefix}:callbacks:waiting:${digest}`,
    /** Sorted set: ids of events that wait until fewer deliveries to their host are under way, by since when. */
    hostWaiting: (digest: string) => `${prefix}:callbacks:line:${digest}`,
    /** String: held by the one delivery that tries a paused endpoint. */
    endpointProbe: (digest: string) => `${prefix}:callbacks:probe:${digest}`,
    /** List: the last times booked for one account and endpoint. */
    reservations: (account: string, endpoint: string) => `${prefix}:slot:${endpoint}:${account}`,
    /** Sorted set: jobs of an account that wait for their turn. */
    laneWaiting: (account: string) => `${prefix}:lane:waiting:${account}`,
    /** Sorted set: jobs of an account whose turn it is. */
    laneAdmitted: (account: string) => `${prefix}:lane:admitted:${account}`,
    /** Hash: why all jobs of an account wait. */
    laneDelay: (account: string) => `${prefix}:lane:gate:${account}`,
    /** Sorted set: times of an account's direct posts within a day. */
    directPosts: (account: string) => `${prefix}:caps:posts:${account}`,
    /** Sorted set: accounts that posted within a day, by when. */
    activeUsers: `${prefix}:caps:active-users`,
    /** Sorted set: jobs that wait for a place within the app's cap, by priority and age. */
    newcomers: `${prefix}:caps:newcomers`,
    /** Sorted set: accounts that got a place within the app's cap and have not begun a post, by when. */
    letIn: `${prefix}:caps:let-in`,
    /** Hash: what was learned from TikTok's answers, as JSON. */
    facts: `${prefix}:caps:facts`,
    /** String: client key of the app whose answers these are. */
    app: `${prefix}:app`,
    /** String: what TikTok allowed a creator to post a few minutes ago, as JSON. */
    creator: (account: string) => `${prefix}:creator:${account}`,
    /** How the keys begin that tell how much of TikTok's limits is used up. */
    usedLimits: ['caps', 'slot', 'lane:gate', 'creator'].map((part) => `${prefix}:${part}:`),
    /** Sorted set: accounts with waiting jobs, by when the sweep last looked. */
    lanes: `${prefix}:lanes`,
    /** String: how many jobs of one account may be admitted at a time (UPLOADS_PER_ACCOUNT), as the service published it. */
    laneLimit: `${prefix}:lane-limit`,
    /** Hash: one account with sealed tokens. */
    account: (name: string) => `${prefix}:account:${name}`,
    /** Sorted set of account names by the time they were added. */
    accounts: `${prefix}:accounts`,
    /** Sorted set: accounts whose jobs may all wait, by when that began or they were added; some may go on by now. */
    heldAccounts: `${prefix}:accounts:held`,
    /** String: what a connect link stands for, sealed, by the digest of its token; gone when it was used. */
    connectLink: (id: string) => `${prefix}:connect-link:${id}`,
    /** String: a begun connection of an account, sealed, by the digest of its state. */
    connectState: (digest: string) => `${prefix}:connect:${digest}`,
    /** String: written before each wait for replicas; gone after a minute. */
    confirmationMark: `${prefix}:confirmation-mark`,
    /** String: the public key that secrets in requests are sealed to, as a JWK. */
    sealingKey: `${prefix}:sealing-jwk`,
    /** String: that of versions before 0.2.0; while it is there, values are sealed as they read them. */
    sealingKeyBefore02: `${prefix}:sealing-key`,
    /** Hash: API keys made at run time, as JSON without the key, by its digest. */
    apiKeys: `${prefix}:api-keys`,
    /** Hash: subscriptions by id, as JSON with a sealed URL. */
    subscriptions: `${prefix}:subscriptions`,
    /** Hash: how far the events were given to each subscription. */
    subscriptionCursors: `${prefix}:subscriptions:cursors`,
    /** String: held by the one process that gives the events to the subscriptions. */
    subscriptionRelay: `${prefix}:subscriptions:relay`,
    /** Sorted set of ids of operations on many jobs, by when they were started. */
    operations: `${prefix}:operations`,
    /** Sorted set: those of them that have not ended. */
    openOperations: `${prefix}:operations:open`,
    /** Hash: one operation, and what it has done. */
    operation: (id: string) => `${prefix}:operation:${id}`,
    /** Sorted set of ids of the jobs that an operation has still to change, in their order. */
    operationJobs: (id: string) => `${prefix}:operations:jobs:${id}`,
    /** String: held by the one process that carries an operation out. */
    operationLease: (id: string) => `${prefix}:operations:lease:${id}`,
    /** Hash: how many publish jobs ended in a stretch of time, by outcome and duration. */
    statistics: (range: string, at: number | string) => `${prefix}:statistics:${range}:${at}`,
    /** String: a session of the console, as JSON, by the digest of its id. */
    session: (digest: string) => `${prefix}:session:${digest}`,
    /** Hash: up to when an operator has seen the failed jobs of each error code, as JSON. */
    seenFailures: `${prefix}:seen-failures`,
    /** Stream: who changed what, as JSON. */
    audit: `${prefix}:audit`,
    /** String: held by the one process that refreshes an account's token. */
    accountRefreshLock: (name: string) => `${prefix}:account-refresh:${name}`,
  };
}
