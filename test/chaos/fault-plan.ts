import type { FaultRule } from '../../src/simulator/index.ts';
import type { SeededRandom } from './seeded-random.ts';

/** A fault of the simulator's, for one job's account. */
export type PlannedFault = Pick<FaultRule, 'endpoint' | 'act'> & {
  readonly when?: Omit<NonNullable<FaultRule['when']>, 'openId'>;
};

/** What decides which faults can hit a job. */
export interface FaultSubject {
  readonly mode: 'direct' | 'inbox';
  readonly source: 'file' | 'pull' | 'photos';
  readonly sizeBytes: number;
}

const CHUNK_BYTES = 5_242_880;

/** TikTok refuses the video once it has looked at it, whichever publish_id it came under. */
export function refusal(subject: FaultSubject, failReason: string, times: 'always' | number = 'always'): PlannedFault {
  const act = { kind: 'fail_processing', failReason } as const;
  if (subject.source !== 'file') return { endpoint: initOf(subject), when: { times }, act };
  return { endpoint: 'upload', when: { lastChunk: true, times }, act };
}

/** One fault somewhere on the job's way. */
export function planFault(random: SeededRandom, subject: FaultSubject): PlannedFault {
  const { source, sizeBytes } = subject;
  const chunkCount = Math.max(1, Math.floor(sizeBytes / CHUNK_BYTES));
  const where =
    source !== 'file' ? random.pick(['init', 'status']) : random.pick(['init', 'upload', 'upload', 'status']);
  if (where === 'init') return { endpoint: initOf(subject), act: random.pick(INIT_ACTS) };
  if (where === 'status') return { endpoint: 'status', when: { nth: random.int(1, 2) }, act: random.pick(STATUS_ACTS) };
  const chunk = random.chance(0.4) ? { lastChunk: true } : { chunkIndex: random.int(0, chunkCount - 1) };
  return { endpoint: 'upload', when: chunk, act: planUploadAct(random) };
}

function initOf({ mode, source }: Pick<FaultSubject, 'mode' | 'source'>): 'video_init' | 'inbox_init' | 'content_init' {
  if (source === 'photos') return 'content_init';
  return mode === 'direct' ? 'video_init' : 'inbox_init';
}

const INIT_ACTS: readonly [PlannedFault['act'], ...PlannedFault['act'][]] = [
  { kind: 'drop_before' },
  { kind: 'drop_after' },
  { kind: 'drop_after' },
  { kind: 'stall_after' },
  { kind: 'delay', ms: 700 },
  { kind: 'status', httpStatus: 503 },
  { kind: 'raw', httpStatus: 200, body: '{"data":{"publish_id":"v_pub' },
  { kind: 'fail_processing', failReason: 'internal' },
];

const STATUS_ACTS: readonly [PlannedFault['act'], ...PlannedFault['act'][]] = [
  { kind: 'drop_before' },
  { kind: 'drop_after' },
  { kind: 'stall_after' },
  { kind: 'status', httpStatus: 500 },
  { kind: 'status', httpStatus: 400, code: 'invalid_publish_id' },
  { kind: 'raw', httpStatus: 502, body: '<html>Bad gateway</html>' },
];

function planUploadAct(random: SeededRandom): PlannedFault['act'] {
  const afterBytes = random.int(0, 5_000_000);
  return random.pick<PlannedFault['act']>([
    { kind: 'drop_before' },
    { kind: 'drop_after' },
    { kind: 'drop_after' },
    { kind: 'drop_mid_body', afterBytes },
    { kind: 'stall', afterBytes },
    { kind: 'stall', afterBytes, ms: 700 },
    { kind: 'stall_after' },
    { kind: 'status', httpStatus: 500 },
    { kind: 'status', httpStatus: 503 },
    { kind: 'status', httpStatus: 416 },
  ]);
}

/** A fault without which a step would hardly ever happen, if it is such a step. */
export function provocationOf(step: string, subject: FaultSubject): PlannedFault | undefined {
  switch (step) {
    case 'commit:attempt_failed':
      return { endpoint: 'upload', act: { kind: 'status', httpStatus: 500 } };
    case 'commit:poll_failed':
      return { endpoint: 'status', act: { kind: 'status', httpStatus: 500 } };
    case 'replacePublishEntry':
      return { endpoint: initOf(subject), act: { kind: 'fail_processing', failReason: 'internal' } };
    // Handed back are uploads that a drain meets midway.
    case 'commit:handed_back':
      return { endpoint: 'upload', when: { times: 'always' }, act: { kind: 'slow_read', bytesPerSecond: 3_000_000 } };
    default:
      return undefined;
  }
}
