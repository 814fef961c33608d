import { learnFrom, needsAudit, type Seen } from '../core/learned-facts.ts';
import type { PublishError } from '../core/publish-error.ts';
import type { Needs } from './deps.ts';
import type { OwnedJob } from './owned-job.ts';

export type LearnDeps = Needs<'caps' | 'clock' | 'facts' | 'log'>;

/** Learns from an answer of TikTok's. Usually it says nothing new; a fact that can't be written is learned next time. */
async function learn(job: OwnedJob, seen: Seen, { facts, clock, log }: Omit<LearnDeps, 'caps'>): Promise<void> {
  const { id, account } = job.record;
  const change = learnFrom(seen, job.around.facts, clock.now());
  if (change === undefined) return;
  log.info({ publishJobId: id, fact: change.name, value: change.value }, 'learned from TikTok');
  await facts.change(change, { jobId: id, account }).catch(() => undefined);
}

/** An init was accepted. */
export async function learnFromInit(job: OwnedJob, deps: LearnDeps): Promise<void> {
  const { mode, account, request } = job.record;
  if (mode !== 'direct') return;
  if (needsAudit(request.post?.privacyLevel)) await learn(job, { kind: 'public_post_accepted' }, deps);
  if (job.around.facts.dailyPostCap !== undefined) {
    const posts = await deps.caps.postsLastDay(account).catch(() => 0);
    await learn(job, { kind: 'post_accepted', posts }, deps);
  }
}

/** A call or a post was refused, by TikTok or by a check of ours, which teaches nothing. */
export async function learnFromRefusal(job: OwnedJob, { code, details }: PublishError, deps: LearnDeps): Promise<void> {
  if (details.tiktokCode === undefined) return;
  if (code === 'TIKTOK_UNAUDITED_CLIENT') await learn(job, { kind: 'unaudited_refusal' }, deps);
  if (code === 'TIKTOK_DAILY_POST_CAP') {
    const posts = await deps.caps.postsLastDay(job.record.account);
    await learn(job, { kind: 'daily_cap_reached', posts }, deps);
  }
  if (code === 'TIKTOK_MEDIA_DURATION') await learnOfDuration(job, 'duration_refused', deps);
}

/** TikTok published a post, or its video was too long. Drafts have a limit of their own, which is documented. */
export async function learnOfDuration(
  job: OwnedJob,
  kind: 'video_published' | 'duration_refused',
  deps: Omit<LearnDeps, 'caps'>,
): Promise<void> {
  const { mode, examined } = job.record;
  const { durationSeconds } = examined?.facts ?? {};
  if (mode !== 'direct' || durationSeconds == null) return;
  await learn(job, { kind, durationSeconds }, deps);
}

/** TikTok took a chunk, and says how far the upload is. Only the first of an upload: one answer tells the reading. */
export async function learnFromChunk(
  job: OwnedJob,
  chunk: { readonly startByte: number; readonly endByteExclusive: number },
  reportedBytes: number | undefined,
  deps: Omit<LearnDeps, 'caps'>,
): Promise<void> {
  if (chunk.startByte > 0 || reportedBytes === undefined) return;
  await learn(job, { kind: 'chunk_accepted', reportedBytes, acceptedBytes: chunk.endByteExclusive }, deps);
}
