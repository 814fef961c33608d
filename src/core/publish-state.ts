/**
 * The state machine of a publish job, as data. ARCHITECTURE.md shows it as a picture and a test compares the two.
 *
 * A state says what is true of the post, not what the queue happens to do.
 */
export const PUBLISH_STATES = {
  scheduled: {
    terminal: false,
    next: ['queued', 'failed', 'cancelled', 'unconfirmed'],
    meaning: 'waits for its scheduled time',
  },
  queued: {
    terminal: false,
    next: ['scheduled', 'uploading', 'failed', 'cancelled', 'unconfirmed'],
    meaning: 'can start; waitingFor says why it has not started',
  },
  uploading: {
    terminal: false,
    next: ['queued', 'processing', 'failed', 'cancelled', 'unconfirmed'],
    meaning: 'init was sent, or the upload is running',
  },
  processing: {
    terminal: false,
    next: ['queued', 'uploading', 'published', 'in_inbox', 'failed', 'cancelled', 'unconfirmed'],
    meaning: 'TikTok has the whole video; its status is polled',
  },
  published: { terminal: true, next: [], meaning: 'TikTok reported PUBLISH_COMPLETE' },
  in_inbox: {
    terminal: true,
    next: ['published', 'failed'],
    meaning: "delivered to the creator's inbox: success in inbox mode",
  },
  failed: {
    terminal: true,
    next: ['queued', 'uploading', 'processing'],
    meaning: 'rejected by TikTok or by a check; failure says why and what to do',
  },
  cancelled: { terminal: true, next: [], meaning: 'cancelled on request before it could be published' },
  unconfirmed: {
    terminal: true,
    next: ['queued', 'uploading', 'processing', 'published', 'in_inbox', 'failed', 'cancelled'],
    meaning:
      'unknown whether TikTok published it; never retried automatically, corrected if TikTok reports the outcome later',
  },
} as const satisfies Record<string, { terminal: boolean; next: readonly string[]; meaning: string }>;

export type PublishState = keyof typeof PUBLISH_STATES;

/** All states, in the order a job usually passes them. */
export const ALL_PUBLISH_STATES = Object.keys(PUBLISH_STATES).filter((state): state is PublishState =>
  Object.hasOwn(PUBLISH_STATES, state),
);

/** Whether a job in this state has its outcome (an `unconfirmed` one may still be corrected). */
export function isTerminal(state: PublishState): boolean {
  return PUBLISH_STATES[state].terminal;
}

/** Whether the machine allows this step; staying in a state is always allowed. */
export function canTransition(from: PublishState, to: PublishState): boolean {
  return from === to || (PUBLISH_STATES[from].next as readonly PublishState[]).includes(to);
}

/** Parses a state's name. @returns undefined for anything else. */
export function parsePublishState(text: string): PublishState | undefined {
  return ALL_PUBLISH_STATES.find((state) => state === text);
}

/** What a job waits for, in any state before its end. */
export const WAIT_REASONS = [
  'turn',
  'rate_limit',
  'daily_cap',
  'pending_share_cap',
  'active_user_cap',
  'account_paused',
  'reauthorization',
  'replication',
  'publishing_paused',
] as const;
export type WaitReason = (typeof WAIT_REASONS)[number];

/** The only mode that each of these caps holds back (content-sharing-guidelines, read 2026-11-22). */
export const MODE_OF_CAP = {
  daily_cap: 'direct',
  active_user_cap: 'direct',
  pending_share_cap: 'inbox',
} as const satisfies Partial<Record<WaitReason, 'direct' | 'inbox'>>;

/** Whether what a job waits for holds back all jobs of its account, or only those of its mode. */
export function isCapOfMode(reason: WaitReason | undefined): reason is keyof typeof MODE_OF_CAP {
  return reason !== undefined && reason in MODE_OF_CAP;
}

/** Why jobs are held back until a person acts. */
export const HOLD_REASONS = [
  'account_paused',
  'reauthorization',
  'publishing_paused',
] as const satisfies readonly WaitReason[];

/** What a job waits for without knowing until when: somebody else's action wakes it. */
export const LANE_REASONS = ['turn', ...HOLD_REASONS] as const;
export type LaneReason = (typeof LANE_REASONS)[number];

/** Parses a stored waiting reason; versions before 0.2 wrote `slot` for `turn`. @returns undefined for anything else */
export function parseWaitReason(text: string | undefined): WaitReason | undefined {
  return text === 'slot' ? 'turn' : WAIT_REASONS.find((reason) => reason === text);
}

/** Whether a job waits until somebody wakes it. */
export function isLaneReason(reason: WaitReason | undefined): reason is LaneReason {
  return LANE_REASONS.some((each) => each === reason);
}
