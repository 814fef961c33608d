import type { CreatorInfo } from '../../core/creator-rules.ts';
import type { ErrorCode } from '../../core/error-table.ts';
import { headline, WAIT_TEXTS } from '../../core/headline.ts';
import type { PublishFailure, PublishJob, TimelineEntry } from '../../core/publish-job.ts';
import type { WaitReason } from '../../core/publish-state.ts';
import { bytesText, timeText } from '../../core/quantity-text.ts';
import type { TimelineEvent } from '../../core/timeline-events.ts';
import type { Finding } from './finding.ts';

/** What TikTok is asked or sent, in this order. */
export type LiveStepName = 'creator_info' | 'video' | 'init' | 'upload' | 'status' | 'outcome';

/** What became of one step of a live post. */
export interface LiveStep extends Pick<Finding, 'level' | 'message' | 'fix'> {
  readonly step: LiveStepName;
  /** Our error code. */
  readonly code?: string;
  /** TikTok's log id, for TikTok's support. */
  readonly tiktokLogId?: string;
}

/** What TikTok answered about the creator. */
export function creatorStep({ nickname, privacyLevelOptions }: CreatorInfo): LiveStep {
  const who = nickname === undefined ? '' : `"${nickname}" `;
  return { step: 'creator_info', level: 'ok', message: `${who}may post as ${privacyLevelOptions.join(', ')}` };
}

/** The trouble that ended a step. */
export function troubleStep(step: LiveStepName, { code, message, advice, tiktokLogId }: PublishFailure): LiveStep {
  const fix = OUR_VIDEO[code] ?? advice;
  return { step, level: 'problem', message, code, fix, ...(tiktokLogId !== undefined && { tiktokLogId }) };
}

/** Advice where the usual one does not fit the video that we ship. */
const OUR_VIDEO: Partial<Record<ErrorCode, string>> = {
  INPUT_MEDIA_NOT_FOUND:
    "The video is part of the package. Run doctor where the workers run: on their machine or in their container, with the workers' version.",
  TIKTOK_MEDIA_DURATION:
    'Everything but the length of this video works. Post a longer one of your own: tiktok-publisher publish <file> --account <name> --privacy self-only --watch',
};

/**
 * What the timeline of a job tells about TikTok's answers so far. A longer timeline of the same job only adds steps.
 */
export function liveSteps(job: PublishJob): LiveStep[] {
  const steps: LiveStep[] = [];
  let current: LiveStepName = 'video';
  for (const entry of job.timeline) {
    const found = stepOf(entry, current, job);
    if (found !== undefined) steps.push(found);
    current = FOLLOWED_BY[entry.event as TimelineEvent] ?? current;
  }
  return steps;
}

/** The step in which a job is after an event, and to which the next trouble belongs. */
const FOLLOWED_BY: Partial<Record<TimelineEvent, LiveStepName>> = {
  media_examined: 'init',
  init_sent: 'init',
  init_answered: 'upload',
  upload_completed: 'status',
  outcome_awaited: 'status',
};

function stepOf(entry: TimelineEntry, current: LiveStepName, job: PublishJob): LiveStep | undefined {
  const ok = (step: LiveStepName, message: string): LiveStep => ({ step, level: 'ok', message });
  const trouble = (next: string): LiveStep => ({
    ...{ step: current, level: 'advice', message: `${entry.message ?? 'not yet'}; ${next}` },
    ...(typeof entry.code === 'string' && { code: entry.code }),
    ...(typeof entry.tiktokLogId === 'string' && { tiktokLogId: entry.tiktokLogId }),
  });
  switch (entry.event as TimelineEvent) {
    case 'media_examined': {
      const { codec, width, height, frameRate, durationSeconds, remarks } = entry;
      const facts = `${codec}, ${width}x${height}, ${frameRate} fps, ${durationSeconds} s`;
      if (!Array.isArray(remarks) || remarks.length === 0) return ok('video', facts);
      return { step: 'video', level: 'advice', message: `${facts}. TikTok decides: ${remarks.join('; ')}` };
    }
    case 'creator_noted':
      return { step: 'creator_info', level: 'advice', message: String(entry.remarks) };
    case 'init_answered':
      return ok('init', `accepted, publish_id ${entry.publishId}`);
    case 'upload_completed':
      return ok('upload', `TikTok has all ${bytesText(Number(entry.totalBytes))}; its status is polled now`);
    case 'parked':
    case 'deferred':
    case 'poll_deferred': {
      const until = typeof entry.until === 'string' ? ` until ${timeText(entry.until)}` : '';
      return trouble(`waiting for ${WAIT_TEXTS[entry.waitingFor as WaitReason]}${until}`);
    }
    case 'attempt_failed':
    case 'poll_failed':
      return trouble(`tried again at ${timeText(String(entry.retryAt))}`);
    case 'outcome_awaited':
      return trouble('its status is polled');
    case 'published':
    case 'in_inbox':
      return ok('outcome', `TikTok reported ${entry.tiktokStatus}: ${headline(job)}`);
    case 'cancelled':
      return { step: 'outcome', level: 'problem', message: 'cancelled, nothing was published' };
    case 'failed':
    case 'unconfirmed':
      return job.failure === null ? undefined : troubleStep(current, job.failure);
    default:
      return undefined;
  }
}
