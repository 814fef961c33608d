import { headline } from '../core/headline.ts';
import type { PublishJob } from '../core/publish-job.ts';
import { durationText } from '../core/quantity-text.ts';
import type { Simulator } from '../simulator/index.ts';
import type { Takeover } from './demo-takeover.ts';
import type { DemoVideo } from './demo-video.ts';

/** How a demo ended: its JSON document. */
export interface DemoReport {
  readonly outcome: PublishJob['state'];
  readonly postIds: readonly string[];
  readonly sent: { readonly bytes: number; readonly sha256: string };
  readonly received: {
    readonly bytes: number;
    readonly chunks: number;
    readonly resentBytes: number;
    readonly sha256: string | null;
    readonly posts: number;
  };
  readonly sha256Equal: boolean;
  /** Null where no worker was killed. */
  readonly takeover: Takeover | null;
  /** From enqueueing to the outcome. */
  readonly durationMs: number;
  readonly links: {
    readonly board: string;
    readonly metrics: string;
    readonly docs: string;
    readonly simulator: string;
  };
  readonly job: PublishJob;
}

export interface DemoFacts {
  readonly job: PublishJob;
  readonly video: DemoVideo;
  readonly simulator: Simulator;
  readonly webUrl: string;
  readonly durationMs: number;
  readonly takeover: Takeover | undefined;
}

/** Compares what was sent with what the simulator got. */
export function reportOnDemo({ job, video, simulator, takeover, webUrl, durationMs }: DemoFacts): DemoReport {
  const { journal } = simulator;
  const published = journal.publishes().find(({ publishId }) => publishId === job.publishId);
  const chunks = journal.entries.filter(({ chunk }) => chunk?.accepted === true).length;
  return {
    outcome: job.state,
    postIds: job.postIds,
    sent: { bytes: video.sizeBytes, sha256: video.sha256 },
    received: {
      bytes: published?.acceptedBytes ?? 0,
      chunks,
      resentBytes: published?.resentBytes ?? 0,
      sha256: published?.sha256 ?? null,
      posts: journal.posts().length,
    },
    sha256Equal: published?.sha256 === video.sha256,
    takeover: takeover ?? null,
    durationMs: Math.round(durationMs),
    links: {
      board: `${webUrl}/board`,
      metrics: `${webUrl}/metrics`,
      docs: `${webUrl}/docs`,
      simulator: `${simulator.url}/__simulator`,
    },
    job,
  };
}

/** Whether the demo showed what it promises: one post, with exactly the bytes that were sent. */
export function isDemoGood({ outcome, sha256Equal, received }: DemoReport): boolean {
  return outcome === 'published' && sha256Equal && received.posts === 1;
}

/**
 * The human-readable report.
 * @param withLinks false where nobody answers them any more
 */
export function demoReportText(report: DemoReport, { withLinks }: { readonly withLinks: boolean }): string {
  const { received, sent, links, job } = report;
  const equality = report.sha256Equal
    ? 'identical on both sides'
    : `DIFFERENT: received ${received.sha256 ?? 'nothing'}`;
  const facts: [string, string][] = [
    ['outcome', headline(job)],
    ['posts', `${received.posts} at the simulated TikTok`],
    ['received', `${inDigits(received.bytes)} bytes in ${received.chunks} chunks, ${resentText(report)}`],
    ['sha256', `${sent.sha256.slice(0, 16)}…, ${equality}`],
    ['took', tookText(report)],
  ];
  const pages: [string, string][] = [
    ['board', links.board],
    ['metrics', links.metrics],
    ['API', links.docs],
  ];
  return [...facts, ...(withLinks ? pages : [])].map(([name, text]) => `${name.padEnd(10)}${text}`).join('\n');
}

function resentText({ received, takeover }: DemoReport): string {
  const why = takeover === null ? '' : ' (the begun chunk of worker 1)';
  return `${inDigits(received.resentBytes)} bytes sent twice${why}`;
}

function tookText({ durationMs, takeover }: DemoReport): string {
  const waiting = takeover === null ? '' : `, of which ${durationText(takeover.afterMs)} until worker 2 took over`;
  return `${durationText(durationMs)}${waiting}`;
}

function inDigits(count: number): string {
  return count.toLocaleString('en-US');
}
