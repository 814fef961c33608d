import type { MediaFacts } from './media-facts.ts';
import type { PreflightFinding } from './preflight-finding.ts';

/** Whether a part of a request was checked, or why not. */
export type CheckedPart = { readonly checked: true } | { readonly checked: false; readonly reason: string };

/** What is known of a request before anything of it is sent. */
export interface PreflightReport {
  /** Nothing was found for which the job would fail; it may still have to wait, as warnings say. */
  readonly ok: boolean;
  /** What was found, in the order of the checks. */
  readonly findings: readonly PreflightFinding[];
  /** What the video is; null: not looked into. */
  readonly facts: MediaFacts | null;
  /** Which parts were checked, and why others were not. */
  readonly checked: {
    /** Its fields, against the schema. */
    readonly request: CheckedPart;
    /** Its video, opened and looked into. */
    readonly media: CheckedPart;
    /** Whether other jobs of its account have the same video. */
    readonly duplicates: CheckedPart;
    /** Its account: known, usable, with the scope that is needed. */
    readonly account: CheckedPart;
    /** Its settings, against what TikTok allows the creator just now. */
    readonly creator: CheckedPart;
    /** Room in TikTok's limits per minute and day. */
    readonly quota: CheckedPart;
  };
}

/** What one part of a preflight brings. */
export interface PartReport {
  readonly findings: readonly PreflightFinding[];
  readonly part: CheckedPart;
}

/** The part of a report that says that something was checked. */
export const CHECKED: CheckedPart = { checked: true };

/** Why something was not checked. */
export function notChecked(reason: string): CheckedPart {
  return { checked: false, reason };
}
