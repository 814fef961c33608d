import type { MediaFacts } from '../core/media-facts.ts';
import { isFetchedByTikTok } from '../core/media-route.ts';
import { checkMediaRules } from '../core/media-rules.ts';
import type { OpenMedia, ProbeMedia } from '../core/ports.ts';
import { CHECKED, notChecked, type PartReport, type PreflightReport } from '../core/preflight-report.ts';
import { PublishError } from '../core/publish-error.ts';
import { type NewRequest, parseNewRequest } from '../core/publish-request.ts';
import {
  checkAccount,
  checkCreator,
  checkQuota,
  failureFinding,
  type PreflightAccounts,
  type PreflightQuota,
} from './check-account.ts';

/** What a preflight looks at. */
export interface PreflightDeps {
  readonly openMedia: OpenMedia;
  readonly probeMedia: ProbeMedia;
  /** A text: why accounts can't be looked at here. */
  readonly accounts: PreflightAccounts | string;
  readonly quota: PreflightQuota;
}

/**
 * Finds out, as far as that goes from here, whether a request would be refused, and enqueues nothing. Asks TikTok what
 * the creator may post, which takes one of 20 calls a minute.
 * @param input a publish request, which need not be valid
 */
export async function checkRequest(input: unknown, deps: PreflightDeps): Promise<PreflightReport> {
  let request: NewRequest;
  try {
    request = parseNewRequest(input);
  } catch (error) {
    if (!(error instanceof PublishError)) throw error;
    return invalidReport(error);
  }
  const [media, account] = await Promise.all([checkMedia(request, deps), checkAccount(request, deps.accounts)]);
  const creator = await checkCreator(request, {
    durationSeconds: media.facts?.durationSeconds ?? undefined,
    accounts: deps.accounts,
    account: account.account,
  });
  const quota = await checkQuota(request, account.account?.name ?? request.account, deps.quota);
  const findings = [media, account, creator, quota].flatMap((part) => part.findings);
  return {
    ok: findings.every(({ severity }) => severity !== 'refuse'),
    findings,
    facts: media.facts,
    checked: { request: CHECKED, media: media.part, account: account.part, creator: creator.part, quota: quota.part },
  };
}

function invalidReport(error: PublishError): PreflightReport {
  const { problems = [] } = error.details;
  const finding = failureFinding(error, 'request');
  const findings = problems.map(({ path, message }) => ({ ...finding, field: path, found: message }));
  const skipped = notChecked('the request is not valid');
  return {
    ok: false,
    findings: findings.length > 0 ? findings : [finding],
    facts: null,
    checked: { request: CHECKED, media: skipped, account: skipped, creator: skipped, quota: skipped },
  };
}

/** Opens a request's video and holds it against TikTok's limits. */
async function checkMedia(
  { media }: NewRequest,
  { openMedia, probeMedia }: { readonly openMedia: OpenMedia; readonly probeMedia: ProbeMedia },
): Promise<PartReport & { readonly facts: MediaFacts | null }> {
  if (isFetchedByTikTok(media)) {
    return { findings: [], part: notChecked('TikTok downloads the media itself'), facts: null };
  }
  try {
    const source = await openMedia(media);
    try {
      const { facts } = await probeMedia(source);
      return { findings: checkMediaRules(facts), part: CHECKED, facts };
    } finally {
      await source.close();
    }
  } catch (error) {
    if (!(error instanceof PublishError)) throw error;
    return { findings: [failureFinding(error, 'media')], part: CHECKED, facts: null };
  }
}
