/** Every Redis key of ours. All carry the prefix's hash tag, so that they share one slot with BullMQ's on a cluster. */
export interface Keys {
  readonly prefix: string;
  /** All of ours, as Redis's ACLs name them. */
  readonly pattern: string;
  /** String: there for a moment, to find out what Redis lets us do. */
  probe(id: string): string;
  /** Hash: the truth about one publish job. */
  job(id: string): string;
  /** List: what happened to one publish job, oldest first, as JSON. */
  timeline(id: string): string;
  /** String: the job that an idempotency key stands for. */
  idempotency(digest: string): string;
  /** Sorted sets of job ids by creation time. */
  readonly allJobs: string;
  accountJobs(account: string): string;
  stateJobs(state: string): string;
  /** Sorted set of job ids by the time the sweep should look at them. */
  readonly due: string;
  /** Set: jobs of an account whose status is polled. */
  polledJobs(account: string): string;
  /** String: the job that a publish_id of TikTok's belongs to. */
  publishId(publishId: string): string;
  /** String: present while TikTok's reports of posts are known to arrive. */
  readonly webhooksArrive: string;
  /** Sorted set: jobs of an account that claimed a video, by when. */
  claimedVideo(account: string, digest: string): string;
  /** Hash: which ledger this is and how far it is, so that a restored older one is noticed. */
  readonly ledgerVersion: string;
  /** Stream of completion events. */
  readonly events: string;
  /** Stream: events on their way to callback URLs; a relay takes them out. */
  readonly callbackOutbox: string;
  /** Sorted set: ids of a job's events that its callback has not got yet, by revision. */
  undeliveredEvents(id: string): string;
  /** List: the last deliveries of a job's events, newest first, as JSON. */
  callbackLog(id: string): string;
  /** Hash: how the deliveries to one callback endpoint went lately. */
  callbackEndpoint(digest: string): string;
  /** Sorted set: digests of callback endpoints that are paused, by since when. */
  readonly pausedEndpoints: string;
  /** Set: ids of events that wait for a paused endpoint. */
  endpointWaiting(digest: string): string;
  /** Sorted set: ids of events that wait until fewer deliveries to their host are under way, by since when. */
  hostWaiting(digest: string): string;
  /** String: held by the one delivery that tries a paused endpoint. */
  endpointProbe(digest: string): string;
  /** List: the last times booked for one account and endpoint. */
  reservations(account: string, endpoint: string): string;
  /** Sorted set: jobs of an account that wait for their turn. */
  laneWaiting(account: string): string;
  /** Sorted set: jobs of an account whose turn it is. */
  laneAdmitted(account: string): string;
  /** Hash: why all jobs of an account wait. */
  laneDelay(account: string): string;
  /** Sorted set: times of an account's direct posts within a day. */
  directPosts(account: string): string;
  /** Sorted set: accounts that posted within a day, by when. */
  readonly activeUsers: string;
  /** String: until when the app's cap on posting accounts holds new ones back. */
  readonly activeUserCap: string;
  /** String: what TikTok allowed a creator to post a few minutes ago, as JSON. */
  creator(account: string): string;
  /** Sorted set: accounts with waiting jobs, by when the sweep last looked. */
  readonly lanes: string;
  /** String: how many jobs of one account may be admitted at a time (UPLOADS_PER_ACCOUNT), as the service published it. */
  readonly laneLimit: string;
  /** Hash: one account with sealed tokens. */
  account(name: string): string;
  /** Sorted set of account names by the time they were added. */
  readonly accounts: string;
  /** String: a begun connection of an account, sealed, by the digest of its state. */
  connectState(digest: string): string;
  /** String: written before each wait for replicas; gone after a minute. */
  readonly confirmationMark: string;
  /** String: the public key that secrets in requests are sealed to, as a JWK. */
  readonly sealingKey: string;
  /** String: that of versions before 0.2.0; while it is there, values are sealed as they read them. */
  readonly sealingKeyBefore02: string;
  /** String: held by the one process that refreshes an account's token. */
  accountRefreshLock(name: string): string;
}

/** @param prefix `QUEUE_PREFIX`, a hash tag such as `{tiktok-publisher}` */
export function createKeys(prefix: string): Keys {
  return {
    prefix,
    pattern: `${prefix}:*`,
    probe: (id) => `${prefix}:probe:${id}`,
    job: (id) => `${prefix}:job:${id}`,
    timeline: (id) => `${prefix}:timeline:${id}`,
    idempotency: (digest) => `${prefix}:idempotency:${digest}`,
    allJobs: `${prefix}:jobs`,
    accountJobs: (account) => `${prefix}:jobs:account:${account}`,
    stateJobs: (state) => `${prefix}:jobs:state:${state}`,
    due: `${prefix}:jobs:due`,
    polledJobs: (account) => `${prefix}:jobs:polled:${account}`,
    publishId: (publishId) => `${prefix}:publish-id:${publishId}`,
    webhooksArrive: `${prefix}:webhooks-arrive`,
    claimedVideo: (account, digest) => `${prefix}:claimed-video:${account}:${digest}`,
    ledgerVersion: `${prefix}:ledger-mark`,
    events: `${prefix}:events`,
    callbackOutbox: `${prefix}:callbacks:outbox`,
    undeliveredEvents: (id) => `${prefix}:callbacks:undelivered:${id}`,
    callbackLog: (id) => `${prefix}:callbacks:log:${id}`,
    callbackEndpoint: (digest) => `${prefix}:callbacks:endpoint:${digest}`,
    pausedEndpoints: `${prefix}:callbacks:paused`,
    endpointWaiting: (digest) => `${prefix}:callbacks:waiting:${digest}`,
    hostWaiting: (digest) => `${prefix}:callbacks:line:${digest}`,
    endpointProbe: (digest) => `${prefix}:callbacks:probe:${digest}`,
    reservations: (account, endpoint) => `${prefix}:slot:${endpoint}:${account}`,
    laneWaiting: (account) => `${prefix}:lane:waiting:${account}`,
    laneAdmitted: (account) => `${prefix}:lane:admitted:${account}`,
    laneDelay: (account) => `${prefix}:lane:gate:${account}`,
    directPosts: (account) => `${prefix}:caps:posts:${account}`,
    activeUsers: `${prefix}:caps:active-users`,
    activeUserCap: `${prefix}:caps:active-user-cap`,
    creator: (account) => `${prefix}:creator:${account}`,
    lanes: `${prefix}:lanes`,
    laneLimit: `${prefix}:lane-limit`,
    account: (name) => `${prefix}:account:${name}`,
    accounts: `${prefix}:accounts`,
    connectState: (digest) => `${prefix}:connect:${digest}`,
    confirmationMark: `${prefix}:confirmation-mark`,
    sealingKey: `${prefix}:sealing-jwk`,
    sealingKeyBefore02: `${prefix}:sealing-key`,
    accountRefreshLock: (name) => `${prefix}:account-refresh:${name}`,
  };
}
