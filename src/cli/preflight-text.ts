import type { MediaFacts } from '../core/media-facts.ts';
import { findingText, type PreflightFinding } from '../core/preflight-finding.ts';
import type { PreflightReport } from '../core/preflight-report.ts';
import { bytesText } from '../core/quantity-text.ts';
import { asTyped, typedName } from './option-names.ts';

/** The human-readable report of a preflight: the verdict, what the video is, each finding, and what was not looked at. */
export function preflightText({ ok, findings, facts, checked }: PreflightReport): string {
  const skipped = Object.entries(checked).flatMap(([part, outcome]) =>
    outcome.checked ? [] : [`not checked: ${part} (${outcome.reason})`],
  );
  return [
    verdict(ok, findings),
    ...(facts === null ? [] : [factsText(facts)]),
    ...findings.map(lineOf),
    ...skipped,
  ].join('\n');
}

function verdict(ok: boolean, { length }: readonly PreflightFinding[]): string {
  if (!ok) return 'The request would be refused. Nothing was enqueued.';
  return `${length === 0 ? 'No problems found.' : 'The request can be published. Check the warnings.'} Nothing was enqueued.`;
}

function lineOf(finding: PreflightFinding): string {
  const { severity, code, field, advice } = finding;
  return `${severity.padEnd(6)}  ${typedName(field)}: ${findingText(finding)} (${code})\n        ${asTyped(advice)}`;
}

function factsText({ container, video, audio, durationSeconds, sizeBytes, moov, fragmented }: MediaFacts): string {
  const parts = [
    container.toUpperCase(),
    video && (video.codec ?? video.codecId),
    video && `${video.displayWidth} x ${video.displayHeight}`,
    video?.frameRate != null && `${Math.round(video.frameRate * 100) / 100} fps`,
    audio === null ? 'no audio' : (audio.codec ?? audio.codecId),
    durationSeconds !== null && `${Math.round(durationSeconds * 10) / 10} s`,
    bytesText(sizeBytes),
    moov !== null && moov !== 'missing' && `index at the ${moov}`,
    fragmented === true && 'fragmented',
  ];
  return `video   ${parts.filter((part) => typeof part === 'string').join(', ')}`;
}
