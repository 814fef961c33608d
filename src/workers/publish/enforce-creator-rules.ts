import { type CreatorFindings, checkCreatorRules, type KnownCreator } from '../../core/creator-rules.ts';
import type { ErrorCode } from '../../core/error-table.ts';
import { unauditedProblem } from '../../core/learned-facts.ts';
import { PublishError } from '../../core/publish-error.ts';
import type { PublishRequest } from '../../core/publish-request.ts';
import { SECOND_MS } from '../../core/units.ts';
import type { Needs } from '../deps.ts';
import type { OwnedJob } from '../owned-job.ts';
import { callWithinQuota, type QuotaCallDeps } from '../tiktok-calls.ts';

export type CreatorCheckDeps = QuotaCallDeps & Needs<'creators' | 'log' | 'settings' | 'tiktok'>;

/** A refusal rests on what TikTok said no longer ago than this (ms); its owner may just have changed the setting. */
const FRESH_MS = 10 * SECOND_MS;

/** Errors that an init would get too. After any other error of the query, the init itself decides. */
const SAME_FOR_INIT: readonly ErrorCode[] = [
  'AUTH_TOKEN_INVALID',
  'AUTH_SCOPE_MISSING',
  'TIKTOK_RATE_LIMITED',
  'TIKTOK_DAILY_POST_CAP',
  'TIKTOK_ACTIVE_USER_CAP',
  'TIKTOK_USER_BANNED',
];

/**
 * Checks a direct post against what its creator may post, before anything is sent and before it uses the quota of
 * inits.
 * @returns the creator's name in the URL of the post; undefined: not known
 * @throws PublishError that it would be refused with; Deferral when TikTok can't be asked within the quota now
 */
export async function enforceCreatorRules(job: OwnedJob, deps: CreatorCheckDeps): Promise<string | undefined> {
  const { account, mode, bookedSlot } = job.record;
  const { preflight } = deps.settings;
  if (preflight === 'off' || mode !== 'direct') return undefined;
  // It passed this check before it booked its init, and a query now would cost it that booking.
  if (bookedSlot?.endpoint.endsWith('_init') === true) return (await deps.creators.recall(account))?.creator?.username;
  const { creator, findings } = await findingsOf(job, deps);
  const { problems, notes } = findings;
  const [problem] = problems;
  if (problem !== undefined && preflight === 'refuse') {
    throw new PublishError(problem.code, { reason: problem.reason });
  }
  const unaudited = unauditedReason(job);
  const remarks = [
    ...(unaudited === undefined ? [] : [unaudited]),
    ...[...problems, ...notes].map(({ reason }) => reason),
  ];
  if (remarks.length > 0) await job.commit({ cause: { event: 'creator_noted', remarks } });
  return creator?.username;
}

/**
 * Refuses a post that TikTok would refuse since it has not audited the app, as an answer told lately. Asks nobody.
 * @throws PublishError `TIKTOK_UNAUDITED_CLIENT`
 */
export function refuseIfUnaudited(job: OwnedJob, { settings }: Needs<'settings'>): void {
  if (settings.preflight !== 'refuse' || job.record.mode !== 'direct') return;
  const reason = unauditedReason(job);
  if (reason !== undefined) throw new PublishError('TIKTOK_UNAUDITED_CLIENT', { reason });
}

function unauditedReason({ record: { request, retriedAt }, around }: OwnedJob): string | undefined {
  return unauditedProblem(request.post?.privacyLevel, around.facts, retriedAt);
}

interface Look {
  readonly creator: KnownCreator | undefined;
  readonly findings: CreatorFindings;
}

async function findingsOf(job: OwnedJob, deps: Omit<CreatorCheckDeps, 'settings'>): Promise<Look> {
  const { account, request, examined } = job.record;
  const durationSeconds = examined?.facts.durationSeconds ?? undefined;
  const remembered = await deps.creators.recall(account);
  if (remembered !== undefined) {
    const { creator } = remembered;
    const findings = findingsIn(request, creator, durationSeconds);
    const isFresh = remembered.askedAt > deps.clock.now() - FRESH_MS;
    if (findings.problems.length === 0 || isFresh) return { creator, findings };
  }
  const creator = await callWithinQuota(job, 'creator_info', deps, async (accessToken) =>
    askIfItCanSay(job.record.id, accessToken, deps),
  );
  await deps.creators.remember(account, creator);
  return { creator, findings: findingsIn(request, creator, durationSeconds) };
}

/** @returns undefined if the query fails: the post goes on without it */
async function askIfItCanSay(
  publishJobId: string,
  accessToken: string,
  { tiktok, log }: Needs<'log' | 'tiktok'>,
): Promise<KnownCreator | undefined> {
  try {
    return await tiktok.queryCreatorInfo({ accessToken });
  } catch (error) {
    if (!(error instanceof PublishError) || SAME_FOR_INIT.includes(error.code)) throw error;
    log.warn({ publishJobId, code: error.code, reason: error.message }, 'creator check skipped');
    return undefined;
  }
}

function findingsIn(
  request: PublishRequest,
  creator: KnownCreator | undefined,
  durationSeconds: number | undefined,
): CreatorFindings {
  return creator === undefined ? { problems: [], notes: [] } : checkCreatorRules(request, creator, { durationSeconds });
}
