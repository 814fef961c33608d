import { z } from 'zod';
import { ALL_PUBLISH_STATES, LANE_REASONS, WAIT_REASONS } from './publish-state.ts';

const text = z.string();
const number = z.number();
const texts = z.array(z.string()).readonly();
const state = z.enum(ALL_PUBLISH_STATES);
const waitingFor = z.enum(WAIT_REASONS);
/** ISO 8601. */
const time = z.string();
/** `tiktokLogId`: for TikTok's support. */
const error = { code: text, message: text, tiktokLogId: text.optional() };
/** Who asked for it, if they said so: a person, or an API key. */
const by = text.optional();
/** Id of the operation on many jobs that did it. */
const operation = text.optional();
const outcome = { code: text.optional(), message: text.optional(), tiktokStatus: text.optional() };

/**
 * Everything that a job's timeline can say: what it means, and the facts beside `at` and `event`. docs/timeline.md and
 * the OpenAPI document list the same; a test compares them. Timelines that an earlier version wrote may hold other
 * events.
 */
export const TIMELINE_EVENTS = {
  queued: {
    meaning:
      'The job was accepted. `by` is who enqueued it, such as an API key, or `queue` for an app that put it on the queue without the library.',
    facts: { by },
  },
  updated: {
    meaning:
      'Somebody changed the job before it began: its time (null: at once), its latest start (null: none), its priority, or the named settings of its post.',
    facts: {
      by,
      operation,
      scheduledAt: time.nullable().optional(),
      notAfter: time.nullable().optional(),
      priority: number.optional(),
      post: texts.optional(),
    },
  },
  due: { meaning: 'The scheduled time of the job has come.', facts: {} },
  parked: {
    meaning: 'The job waits for its turn in its account, or for its owner to resume or reconnect the account.',
    facts: { waitingFor: z.enum(LANE_REASONS) },
  },
  deferred: {
    meaning: 'The job waits for a quota or Redis and looks again at `until`; `code` is the error that made it wait.',
    facts: { waitingFor, until: time, code: text.optional(), message: text.optional(), tiktokLogId: error.tiktokLogId },
  },
  reservation_used: {
    meaning: 'The job made the call that was reserved for it in a quota.',
    facts: { endpoint: text },
  },
  media_examined: {
    meaning: 'The video was examined; `remarks` are what a person should know, such as a limit that it exceeds.',
    facts: {
      container: text,
      durationSeconds: number.optional(),
      codec: text.nullable().optional(),
      width: number.optional(),
      height: number.optional(),
      frameRate: number.optional(),
      remarks: texts.optional(),
    },
  },
  photos_noted: {
    meaning: 'What a person should know of photos that were looked at before TikTok downloads them.',
    facts: { remarks: texts },
  },
  creator_noted: { meaning: "The creator's settings at TikTok do not fit the post.", facts: { remarks: texts } },
  duplicate_noted: {
    meaning: 'Another job has published or may publish the same video on this account.',
    facts: { otherJobId: text, otherState: state },
  },
  init_sent: {
    meaning: 'An upload session or a publish is about to be requested at TikTok.',
    facts: { source: z.enum(['file_upload', 'pull', 'photos']) },
  },
  init_answered: { meaning: 'TikTok accepted the request.', facts: { publishId: text } },
  init_refused: { meaning: 'The request certainly had no effect at TikTok.', facts: {} },
  resumed: {
    meaning: 'The upload continues at the byte that TikTok reports, or it is `complete` or `unknown`.',
    facts: { tiktokHas: z.union([number, z.enum(['complete', 'unknown'])]) },
  },
  last_chunk_started: { meaning: 'The last chunk is about to be sent; after it TikTok may publish.', facts: {} },
  last_chunk_refused: { meaning: 'TikTok certainly did not take the last chunk.', facts: {} },
  last_chunk_held_back: {
    meaning: 'The last chunk was not sent, because Redis had too few replicas or the worker stopped.',
    facts: {},
  },
  upload_completed: { meaning: 'TikTok has every byte.', facts: { totalBytes: number } },
  handed_back: { meaning: 'The worker stopped; another one takes the job.', facts: {} },
  attempt_failed: {
    meaning: 'An attempt failed; the next one starts at `retryAt`.',
    facts: { attempt: number, ...error, retryAt: time },
  },
  outcome_awaited: {
    meaning: 'An error occurred, but TikTok may still publish the post: its status is polled.',
    facts: error,
  },
  poll_answered: { meaning: 'TikTok answers status polls again.', facts: {} },
  poll_failed: { meaning: 'A status poll failed; the next one is at `retryAt`.', facts: { ...error, retryAt: time } },
  poll_deferred: {
    meaning: 'A status poll waits for its quota and is tried again at `until`.',
    facts: { waitingFor, until: time },
  },
  pull_stalled: {
    meaning: "TikTok's download of the video made no progress for too long.",
    facts: { downloadedBytes: number, stoodStillMs: number },
  },
  pull_stopped: { meaning: 'TikTok agreed to stop its download.', facts: {} },
  pull_not_stopped: { meaning: 'TikTok refused to stop its download.', facts: { code: text } },
  fell_back: {
    meaning: "TikTok's download failed; the video is uploaded instead.",
    facts: { to: z.literal('upload'), code: text },
  },
  cancel_requested: { meaning: 'Somebody asked to cancel the job; TikTok is asked to stop.', facts: { by, operation } },
  cancel_accepted: { meaning: 'TikTok accepted the request to cancel.', facts: {} },
  cancel_refused: { meaning: 'TikTok refused to cancel.', facts: { code: text } },
  retry_requested: {
    meaning: 'Somebody asked to retry the job.',
    facts: { action: z.enum(['poll', 'resume', 'fresh_init']), forced: z.boolean(), by, operation },
  },
  published: { meaning: 'TikTok reported the post as published.', facts: outcome },
  in_inbox: { meaning: "TikTok delivered the draft to the creator's inbox.", facts: outcome },
  failed: { meaning: 'The job failed; `code` and `message` say why.', facts: outcome },
  cancelled: { meaning: 'The job was cancelled before it was published.', facts: { ...outcome, by, operation } },
  unconfirmed: { meaning: 'It is unknown whether TikTok published the post.', facts: outcome },
  post_available: { meaning: 'TikTok named the posts of a published job.', facts: { postIds: texts } },
  no_longer_public: { meaning: 'TikTok reported that the post can no longer be seen by the public.', facts: {} },
  recheck_deferred: {
    meaning: 'A check after the end waits for its quota and is tried again at `until`.',
    facts: { waitingFor, until: time },
  },
  record_restored: {
    meaning: 'Redis had lost the latest changes of the job; a worker restored them.',
    facts: { from: state, to: state, revision: number },
  },
} as const satisfies Record<string, { readonly meaning: string; readonly facts: z.ZodRawShape }>;

type Events = typeof TIMELINE_EVENTS;
export type TimelineEvent = keyof Events;

type FactsOf<Shape extends z.ZodRawShape> = {
  readonly [Name in keyof Shape as undefined extends z.infer<Shape[Name]> ? never : Name]: z.infer<Shape[Name]>;
} & {
  readonly [Name in keyof Shape as undefined extends z.infer<Shape[Name]> ? Name : never]?: z.infer<Shape[Name]>;
};

/** What happened, with the facts that belong to it. */
export type TimelineFact = { [E in TimelineEvent]: { readonly event: E } & FactsOf<Events[E]['facts']> }[TimelineEvent];

/** All events, in the order a job usually meets them. */
export const ALL_TIMELINE_EVENTS = Object.keys(TIMELINE_EVENTS).filter((event): event is TimelineEvent =>
  Object.hasOwn(TIMELINE_EVENTS, event),
);

/** The names of an event's facts; one that may be missing has a question mark. */
export function factNames(event: TimelineEvent): string[] {
  const facts: Readonly<Record<string, z.ZodType>> = TIMELINE_EVENTS[event].facts;
  return Object.entries(facts).map(([name, schema]) => (schema.safeParse(undefined).success ? `${name}?` : name));
}
