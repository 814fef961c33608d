import { findingOf } from '../core/preflight-finding.ts';
import { CHECKED, notChecked, type PartReport } from '../core/preflight-report.ts';
import type { PublishRequest } from '../core/publish-request.ts';
import type { ClaimSearch } from '../ledger/video-claims.ts';

export type OnDuplicate = NonNullable<PublishRequest['onDuplicate']>;

/** Where a preflight looks for jobs with the same video. */
export interface PreflightDuplicates extends ClaimSearch {
  /** What happens where the request does not say. */
  readonly onDuplicate: OnDuplicate;
}

/**
 * Looks whether another job has or had the same video.
 * @param digest of the video or its URLs; undefined: it could not be read
 */
export async function checkDuplicate(
  { account, digest }: { readonly account: string; readonly digest: string | undefined },
  onDuplicate: OnDuplicate,
  duplicates: PreflightDuplicates,
): Promise<PartReport> {
  if (onDuplicate === 'allow') return { findings: [], part: notChecked('duplicates are allowed') };
  if (digest === undefined) return { findings: [], part: notChecked('the video could not be read') };
  const other = await duplicates.find(account, digest);
  if (other === undefined) return { findings: [], part: CHECKED };
  const severity = onDuplicate === 'refuse' ? 'refuse' : 'warn';
  const found = `publish job ${other.id} of this account has the same video and is ${other.state}`;
  return {
    findings: [findingOf('INPUT_DUPLICATE_VIDEO', { severity, field: 'media', limit: null, found })],
    part: CHECKED,
  };
}
