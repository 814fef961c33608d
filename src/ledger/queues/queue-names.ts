/** Names of the BullMQ queues; any BullMQ client may add to the first. */
export const QUEUE_NAMES = {
  /** Init and upload. */
  publish: 'tiktok-publish',
  /** Polls of TikTok's status, one delayed job per publish job. */
  status: 'tiktok-status',
  /** Delivery of events to callback URLs. */
  events: 'tiktok-events',
} as const;

/** Name of the jobs in `tiktok-publish`; their data is a reference, or a publish request of a plain BullMQ client. */
export const PUBLISH_JOB_NAME = 'publish';
/** Name of the jobs in `tiktok-status` that bring a publish job to its outcome. */
export const STATUS_JOB_NAME = 'status';
/** Name of the jobs in `tiktok-events`. */
export const EVENT_JOB_NAME = 'deliver';
/** Name of the jobs in `tiktok-status` that look at a finished publish job now and then. */
export const RECHECK_JOB_NAME = 'recheck';

/** How many of BullMQ's own events each queue keeps, which only plain clients follow, and as they happen. */
export const BULLMQ_EVENTS_KEPT = 1_000;
