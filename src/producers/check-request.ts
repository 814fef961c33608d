import { checkPhotos } from '../core/check-photos.ts';
import { hashMediaUrls } from '../core/hash-media-urls.ts';
import type { LearnedFacts } from '../core/learned-facts.ts';
import type { MediaFacts } from '../core/media-facts.ts';
import { servedItemsOf } from '../core/media-route.ts';
import { checkMediaRules } from '../core/media-rules.ts';
import type { Clock, LookAtPhoto, OpenMedia, ProbeMedia } from '../core/ports.ts';
import { findingOf, type PreflightFinding } from '../core/preflight-finding.ts';
import { CHECKED, notChecked, type PartReport, type PreflightReport } from '../core/preflight-report.ts';
import { PublishError } from '../core/publish-error.ts';
import { type NewRequest, type PublishRequest, parseNewRequest } from '../core/publish-request.ts';
import { digestRequest } from '../core/request-digest.ts';
import { remarksOn } from '../core/request-remarks.ts';
import { refusalOfTime } from '../core/scheduled-time.ts';
import { fingerprintVideo } from '../core/video-fingerprint.ts';
import type { LedgerRecord } from '../ledger/record.ts';
import type { ClaimSearch } from '../ledger/video-claims.ts';
import {
  checkAccount,
  checkCreator,
  checkQuota,
  failureFinding,
  type HoldOf,
  type PreflightAccounts,
  type PreflightQuota,
} from './check-account.ts';

/** What a preflight looks at. */
export interface PreflightDeps {
  readonly openMedia: OpenMedia;
  readonly lookAtPhoto: LookAtPhoto;
  readonly probeMedia: ProbeMedia;
  /** Whether TikTok can download media from the service; undefined: not known here. */
  readonly hasPullAddress?: boolean | undefined;
  /** A text: why accounts can't be looked at here. */
  readonly accounts: PreflightAccounts | string;
  readonly holdOf: HoldOf;
  readonly quota: PreflightQuota;
  readonly duplicates: PreflightDuplicates;
  /** What was learned from TikTok's answers, for an account's own name. */
  readonly factsOf: (account: string) => Promise<LearnedFacts>;
  /** The job that was enqueued with an idempotency key. */
  readonly jobOfKey: (idempotencyKey: string) => Promise<Pick<LedgerRecord, 'id' | 'requestDigest'> | undefined>;
  /** Refuses a callback that would never be delivered. @throws PublishError `INPUT_INVALID` */
  readonly refuseCallback: (request: NewRequest) => void;
  readonly clock: Clock;
  /** An account's own name, by that or its open_id. */
  readonly nameOf: (nameOrOpenId: string) => Promise<string>;
}

/**
 * Finds out, as far as that goes from here, whether a request would be refused, and enqueues nothing. Asks TikTok what
 * the creator may post, which takes one of 20 calls a minute.
 * @param input a publish request, which need not be valid
 * @param idempotencyKey under which it would be enqueued
 */
export async function checkRequest(
  input: unknown,
  deps: PreflightDeps,
  idempotencyKey?: string,
): Promise<PreflightReport> {
  let request: NewRequest;
  try {
    request = parseNewRequest(input);
  } catch (error) {
    if (!(error instanceof PublishError)) throw error;
    return invalidReport(error);
  }
  const onDuplicate = request.onDuplicate ?? deps.duplicates.onDuplicate;
  const name = await deps.nameOf(request.account);
  const known = await deps.factsOf(name);
  const [media, account] = await Promise.all([
    checkMedia(request, deps, { withDigest: onDuplicate !== 'allow', known }),
    checkAccount({ ...request, account: name }, deps),
  ]);
  const duplicates = await checkDuplicate({ account: name, digest: media.digest }, onDuplicate, deps.duplicates);
  const creator = await checkCreator(request, {
    durationSeconds: media.facts?.durationSeconds ?? undefined,
    accounts: deps.accounts,
    account: account.account,
    facts: known,
  });
  const quota = await checkQuota(request, name, deps.clock.now(), deps.quota, known);
  const seen = idempotencyKey === undefined ? undefined : await deps.jobOfKey(idempotencyKey);
  const time = seen === undefined ? refusalOfTime(request, deps.clock.now()) : undefined;
  const findings = [
    ...(seen === undefined ? [] : [keyFinding(seen, request)]),
    ...(time === undefined ? [] : findingsOf(time)),
    ...callbackFindings(request, deps),
    ...(deps.hasPullAddress === false ? addressFindings(request) : []),
    ...remarksOn(request, media.facts?.durationSeconds ?? null),
    ...[media, duplicates, account, withoutTold(creator, [account, quota]), quota].flatMap((part) => part.findings),
  ];
  return {
    ok: findings.every(({ severity }) => severity !== 'refuse'),
    findings,
    facts: media.facts,
    checked: {
      ...{ request: CHECKED, media: media.part, duplicates: duplicates.part },
      ...{ account: account.part, creator: creator.part, quota: quota.part },
    },
  };
}

/** A part without what others say, too: they know more of it, such as until when a cap holds. */
function withoutTold({ findings, part }: PartReport, others: readonly PartReport[]): PartReport {
  const told = new Set(others.flatMap((other) => other.findings.map(({ code }) => code)));
  return { findings: findings.filter(({ code }) => !told.has(code)), part };
}

function keyFinding(
  { id, requestDigest }: Pick<LedgerRecord, 'id' | 'requestDigest'>,
  request: NewRequest,
): PreflightFinding {
  const key = { field: 'idempotencyKey', limit: null, found: `a key that was used for job ${id}` };
  if (digestRequest(request) !== requestDigest)
    return findingOf('IDEMPOTENCY_CONFLICT', { severity: 'refuse', ...key });
  const advice = 'Nothing new would be enqueued: this job is returned.';
  return { code: 'IDEMPOTENCY_KEY_SEEN', severity: 'warn', ...key, advice };
}

function callbackFindings(request: NewRequest, { refuseCallback }: Pick<PreflightDeps, 'refuseCallback'>) {
  try {
    refuseCallback(request);
    return [];
  } catch (error) {
    if (!(error instanceof PublishError)) throw error;
    return findingsOf(error);
  }
}

/** The workers may have the setting that is missing here. */
function addressFindings({ media }: NewRequest): PreflightFinding[] {
  if (servedItemsOf(media).every((item) => item === undefined)) return [];
  const found = 'no PUBLIC_BASE_URL here';
  return [findingOf('CONFIG_PULL_ADDRESS_MISSING', { severity: 'warn', field: 'media', limit: null, found })];
}

/** One finding for each problem of an input. */
function findingsOf(error: PublishError): PreflightFinding[] {
  const { problems = [] } = error.details;
  const finding = failureFinding(error, 'request');
  return problems.length === 0
    ? [finding]
    : problems.map(({ path, message }) => ({ ...finding, field: path, found: message }));
}

function invalidReport(error: PublishError): PreflightReport {
  const skipped = notChecked('the request is not valid');
  return {
    ok: false,
    findings: findingsOf(error),
    facts: null,
    checked: {
      ...{ request: CHECKED, media: skipped, duplicates: skipped },
      ...{ account: skipped, creator: skipped, quota: skipped },
    },
  };
}

/**
 * Opens a request's video, or looks at its photos, and holds it against TikTok's limits.
 * @param how `withDigest`: also reads what tells it from other videos
 */
async function checkMedia(
  { media, mode }: NewRequest,
  { openMedia, lookAtPhoto, probeMedia }: Pick<PreflightDeps, 'openMedia' | 'lookAtPhoto' | 'probeMedia'>,
  { withDigest, known }: { readonly withDigest: boolean; readonly known: LearnedFacts },
): Promise<PartReport & { readonly facts: MediaFacts | null; readonly digest?: string | undefined }> {
  if (media.type === 'photos') return await checkPhotoPost(media, { openMedia, lookAtPhoto }, withDigest);
  if (media.type === 'pull') {
    const part = notChecked('TikTok downloads the media itself');
    return { findings: [], part, facts: null, digest: hashMediaUrls(media) };
  }
  try {
    const source = await openMedia(media);
    try {
      const { facts } = await probeMedia(source);
      const digest = withDigest ? await fingerprintVideo(source) : undefined;
      return { findings: checkMediaRules(facts, mode, known.longestVideoSeconds?.value), part: CHECKED, facts, digest };
    } finally {
      await source.close();
    }
  } catch (error) {
    if (!(error instanceof PublishError)) throw error;
    return { findings: [failureFinding(error, 'media')], part: CHECKED, facts: null };
  }
}

/** Looks at the photos of a post, and reads those that TikTok is to download from us. */
async function checkPhotoPost(
  media: Extract<NewRequest['media'], { type: 'photos' }>,
  { openMedia, lookAtPhoto }: Pick<PreflightDeps, 'openMedia' | 'lookAtPhoto'>,
  withDigest: boolean,
): ReturnType<typeof checkMedia> {
  const findings = await checkPhotos(media, lookAtPhoto);
  const isReadable = findings.every(({ severity }) => severity !== 'refuse');
  const digests = withDigest && isReadable ? await digestsOf(servedItemsOf(media), openMedia) : undefined;
  return {
    findings,
    part: CHECKED,
    facts: null,
    ...(digests !== undefined && { digest: hashMediaUrls(media, digests) }),
  };
}

/** What tells photos from others; undefined where one cannot be read just now, which its look has told. */
async function digestsOf(
  items: ReturnType<typeof servedItemsOf>,
  openMedia: OpenMedia,
): Promise<(string | undefined)[] | undefined> {
  const digests: (string | undefined)[] = [];
  try {
    for (const [index, item] of items.entries()) {
      if (item === undefined) continue;
      const source = await openMedia(item, 'photo');
      try {
        digests[index] = await fingerprintVideo(source);
      } finally {
        await source.close();
      }
    }
    return digests;
  } catch (error) {
    if (!(error instanceof PublishError)) throw error;
    return undefined;
  }
}

type OnDuplicate = NonNullable<PublishRequest['onDuplicate']>;

/** Where a preflight looks for jobs with the same video. */
interface PreflightDuplicates extends ClaimSearch {
  /** What happens where the request does not say. */
  readonly onDuplicate: OnDuplicate;
}

/**
 * Looks whether another job has or had the same video.
 * @param digest of the video or its URLs; undefined: it could not be read
 */
async function checkDuplicate(
  { account, digest }: { readonly account: string; readonly digest: string | undefined },
  onDuplicate: OnDuplicate,
  duplicates: PreflightDuplicates,
): Promise<PartReport> {
  if (onDuplicate === 'allow') return { findings: [], part: notChecked('duplicates are allowed') };
  if (digest === undefined) return { findings: [], part: notChecked('the media could not be read') };
  const other = await duplicates.find(account, digest);
  if (other === undefined) return { findings: [], part: CHECKED };
  const severity = onDuplicate === 'refuse' ? 'refuse' : 'warn';
  const found = `publish job ${other.id} of this account has the same media and is ${other.state}`;
  return {
    findings: [findingOf('INPUT_DUPLICATE_VIDEO', { severity, field: 'media', limit: null, found })],
    part: CHECKED,
  };
}
