import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ERROR_TABLE, type ErrorCode } from '../../../src/core/error-table.ts';
import { type Exposure, exposureOf, mightBePublished } from '../../../src/core/exposure.ts';
import type { InterruptedJob, Plan, PlanContext, StatusSaid, Trouble } from '../../../src/core/plan.ts';
import { planAfterError, planAfterWaiting } from '../../../src/core/plan-after-error.ts';
import { PublishError } from '../../../src/core/publish-error.ts';
import { EIGHT_TRIES_IN_AN_HOUR } from '../../../src/core/retry-policy.ts';
import { Deferral, Handback } from '../../../src/core/step-interrupt.ts';
import { DAY_MS, MINUTE_MS } from '../../../src/core/units.ts';
import type { VerdictKind } from '../../../src/core/verdict.ts';

const NOW = Date.parse('2026-11-29T12:00:00Z');
const { maxAttempts } = EIGHT_TRIES_IN_AN_HOUR;
const UPLOAD = { media: { type: 'file', path: '/v.mp4' } } as const;
const PULL = { media: { type: 'pull', url: 'https://example.com/v.mp4' } } as const;
const FRESH: InterruptedJob = {
  state: 'uploading',
  request: UPLOAD,
  attempts: 0,
  createdAt: NOW,
  session: { kind: 'none' },
};

/** Every way in which a session comes to an exposure. */
const JOBS: readonly { readonly name: string; readonly exposure: Exposure; readonly job: InterruptedJob }[] = [
  { name: 'an upload without init', exposure: 'none', job: { ...FRESH, state: 'queued' } },
  {
    name: 'an upload whose init got no answer',
    exposure: 'none',
    job: { ...FRESH, session: { kind: 'init_sent', intendedAt: NOW } },
  },
  { name: 'a pull without init', exposure: 'none', job: { ...FRESH, request: PULL } },
  {
    name: 'a pull whose lost init its caller repeats',
    exposure: 'none',
    job: { ...FRESH, request: { ...PULL, onLostInit: 'repeat' }, session: { kind: 'init_sent', intendedAt: NOW } },
  },
  {
    name: 'a lost pull',
    exposure: 'init_in_doubt',
    job: { ...FRESH, request: PULL, session: { kind: 'init_sent', intendedAt: NOW } },
  },
  { name: 'an unconfirmed job without publish_id', exposure: 'init_in_doubt', job: { ...FRESH, state: 'unconfirmed' } },
  { name: 'an open upload', exposure: 'open', job: { ...FRESH, session: { kind: 'upload', publishId: 'p' } } },
  {
    name: 'a pull that fell back to an upload',
    exposure: 'open',
    job: { ...FRESH, request: PULL, fellBackAt: NOW, session: { kind: 'upload', publishId: 'p' } },
  },
  {
    name: 'an upload with its last chunk under way',
    exposure: 'may_appear',
    job: { ...FRESH, session: { kind: 'upload', publishId: 'p', lastChunkStartedAt: NOW } },
  },
  {
    name: 'an upload that TikTok has',
    exposure: 'may_appear',
    job: { ...FRESH, state: 'processing', session: { kind: 'upload', publishId: 'p' }, processingSince: NOW },
  },
  {
    name: 'a pull that TikTok took',
    exposure: 'may_appear',
    job: { ...FRESH, request: PULL, session: { kind: 'fetch', publishId: 'p' } },
  },
  {
    name: 'a dead upload',
    exposure: 'dead',
    job: { ...FRESH, session: { kind: 'failed', publishId: 'p', failedAt: NOW } },
  },
];

/** A code of each verdict, and those of which the planner knows more. */
const VERDICTS = {
  retry: 'TRANSPORT_CONNECT_FAILED',
  refresh_token: 'AUTH_TOKEN_INVALID',
  wait: 'TIKTOK_RATE_LIMITED',
  resync_offset: 'UPLOAD_OFFSET_MISMATCH',
  ask_status: 'UPLOAD_UNEXPECTED_ANSWER',
  new_init: 'UPLOAD_TASK_MISSING',
  give_up: 'TIKTOK_SPAM',
  unconfirmed: 'TIKTOK_LOST_INIT',
  superseded: 'INTERNAL_OVERTAKEN',
} as const satisfies Record<VerdictKind, ErrorCode>;
const CODES = [...Object.values(VERDICTS), 'TIKTOK_PUBLISH_CANCELLED', 'TIKTOK_PULL_FAILED'] as const;
const ERRORS = CODES.map((code) => new PublishError(code));
const FAILURES = CODES.map((code) => new PublishError(code, { publishFailed: true }));
const DEFERRAL = new Deferral('rate_limit', NOW + MINUTE_MS);
const TROUBLES: readonly Trouble[] = [
  ...ERRORS,
  ...FAILURES,
  new PublishError('TIKTOK_RATE_LIMITED', { retryAfterMs: 5 * MINUTE_MS }),
  DEFERRAL,
  new Handback(),
];
const ANSWERS: readonly (StatusSaid | undefined)[] = [
  undefined,
  { kind: 'has_everything' },
  { kind: 'lacks_bytes' },
  { kind: 'nothing' },
  ...FAILURES.map((error) => ({ kind: 'failed' as const, error })),
  ...[...ERRORS, ...FAILURES, DEFERRAL].map((trouble) => ({ kind: 'no_answer' as const, trouble })),
];
const STEPS = ['publish', 'poll', 'recheck'] as const;
const ATTEMPTS = [0, maxAttempts - 1, maxAttempts];
const FIVE_RESTARTS = Array.from({ length: 5 }, () => 'UPLOAD_URL_EXPIRED');
const AGES_MS = [0, 3 * DAY_MS];

function contextOf(step: PlanContext['step']): PlanContext {
  return {
    step,
    now: NOW,
    random: () => 0.5,
    retryPolicy: EIGHT_TRIES_IN_AN_HOUR,
    maxWaitMs: 2 * DAY_MS,
    outcomeWithinMs: DAY_MS,
  };
}

interface Case {
  readonly exposure: Exposure;
  readonly step: PlanContext['step'];
  readonly job: InterruptedJob;
  readonly trouble: Trouble;
  readonly said: StatusSaid | undefined;
  readonly plan: Plan;
}

/** Exposure × trouble × step × attempts × age × what TikTok's status said. */
function* allCases(): Generator<Case> {
  for (const { exposure, job: base } of JOBS) {
    for (const step of STEPS) {
      for (const attempts of ATTEMPTS) {
        for (const ageMs of AGES_MS) {
          const times = { createdAt: NOW - ageMs, processingSince: NOW - ageMs };
          for (const restartedFor of [[], FIVE_RESTARTS]) {
            const job = { ...base, ...times, attempts, restartedFor };
            for (const trouble of TROUBLES) {
              const answers = step === 'publish' ? ANSWERS : [undefined];
              for (const said of answers) {
                yield { exposure, step, job, trouble, said, plan: planAfterError(job, trouble, contextOf(step), said) };
              }
            }
          }
        }
      }
    }
  }
}

/** TikTok itself said that nothing comes of the session: that it failed, or that bytes are missing. */
function isDisproved({ trouble, said }: Case): boolean {
  const hasFailed = (error: Trouble | undefined) =>
    error instanceof PublishError && error.details.publishFailed === true;
  if (hasFailed(trouble) || said?.kind === 'lacks_bytes' || said?.kind === 'failed') return true;
  return said?.kind === 'no_answer' && hasFailed(said.trouble);
}

const ALL_CASES = [...allCases()];

function violations(isWrong: (each: Case) => boolean): string[] {
  const found = ALL_CASES.filter(isWrong).map(({ step, exposure, trouble, said, plan }) => {
    const name = trouble instanceof PublishError ? trouble.code : trouble.name;
    return `${step}: ${exposure} + ${name} + ${said?.kind ?? '-'} → ${plan.kind}`;
  });
  return [...new Set(found)];
}

describe('the exposure of a post', () => {
  it.each(JOBS)('of $name is $exposure', ({ job, exposure }) => {
    expect(exposureOf(job)).toBe(exposure);
  });
});

describe('the plan after an error', () => {
  it('never begins a new session while the present one may appear', () => {
    expect(
      violations((each) => each.plan.kind === 'start_over' && mightBePublished(each.exposure) && !isDisproved(each)),
    ).toEqual([]);
  });

  it('never begins again what an init in doubt may have published', () => {
    const repeats: Plan['kind'][] = ['start_over', 'retry', 'wait', 'hand_back'];
    expect(
      violations(
        ({ step, exposure, plan }) => step === 'publish' && exposure === 'init_in_doubt' && repeats.includes(plan.kind),
      ),
    ).toEqual([]);
  });

  it('never ends a job failed while nobody knows whether it was published', () => {
    expect(
      violations(
        (each) =>
          each.plan.kind === 'end' &&
          each.plan.to === 'failed' &&
          mightBePublished(each.exposure) &&
          !isDisproved(each),
      ),
    ).toEqual([]);
  });

  it('never cancels what may appear unless TikTok said that it will not', () => {
    expect(
      violations((each) => each.plan.kind === 'end' && each.plan.to === 'cancelled' && !isDisproved(each)),
    ).toEqual([]);
  });

  it('burns an attempt only by a retry, and never more attempts than the policy has', () => {
    expect(
      violations(({ plan, job }) => {
        if (!('attempts' in plan)) return false;
        if (plan.kind === 'start_over' && plan.fallsBack) return plan.attempts !== 0;
        return plan.attempts !== job.attempts + 1 || plan.attempts >= maxAttempts;
      }),
    ).toEqual([]);
  });

  it('waits for a limit without burning an attempt, however many are burnt', () => {
    expect(
      violations(({ step, exposure, trouble, job, plan }) => {
        const isWait =
          trouble instanceof PublishError && trouble.row.verdict === 'wait' && !('publishFailed' in trouble.details);
        const isYoung = job.createdAt > NOW - DAY_MS;
        return step === 'publish' && isWait && isYoung && exposure !== 'init_in_doubt' && plan.kind !== 'wait';
      }),
    ).toEqual([]);
  });

  it('never comes earlier than the time that TikTok named', () => {
    expect(
      violations(({ trouble, plan }) => {
        const retryAfterMs = trouble instanceof PublishError ? (trouble.details.retryAfterMs ?? 0) : 0;
        const at = plan.kind === 'wait' ? plan.until : plan.kind === 'ask_later' ? plan.notBeforeAt : Infinity;
        return at < NOW + retryAfterMs;
      }),
    ).toEqual([]);
  });

  it('asks for the status at most once', () => {
    expect(violations(({ said, plan }) => said !== undefined && plan.kind === 'ask_status')).toEqual([]);
  });

  it('changes nothing that is true of a post while its status cannot be read', () => {
    const keeps: Plan['kind'][] = ['ask_later', 'wait', 'superseded', 'hand_back'];
    expect(
      violations(
        (each) =>
          each.step !== 'publish' &&
          !isDisproved(each) &&
          !keeps.includes(each.plan.kind) &&
          !(each.step === 'poll' && each.plan.kind === 'end' && each.plan.to === 'unconfirmed'),
      ),
    ).toEqual([]);
  });

  it('writes nothing when another owner acts', () => {
    expect(
      violations(({ trouble, plan }) => {
        const isSuperseded = trouble instanceof PublishError && trouble.row.verdict === 'superseded';
        return isSuperseded && plan.kind !== 'superseded';
      }),
    ).toEqual([]);
  });
});

describe('a job that starts over', () => {
  const dead = (code: ErrorCode, restartedFor: readonly string[]) =>
    planAfterError(
      { ...FRESH, state: 'processing', session: { kind: 'upload', publishId: 'p' }, restartedFor },
      new PublishError(code, { publishFailed: true }),
      contextOf('poll'),
    );

  it('does so five times at most, whatever the reasons', () => {
    expect(dead('TIKTOK_PULL_FAILED', FIVE_RESTARTS.slice(1)).kind).toBe('start_over');
    expect(dead('TIKTOK_PULL_FAILED', FIVE_RESTARTS)).toMatchObject({ kind: 'end', to: 'failed' });
  });

  it('F11: does so twice after an internal error of TikTok, which names no fault of the video', () => {
    const twice = ['TIKTOK_PROCESSING_INTERNAL', 'TIKTOK_PROCESSING_INTERNAL'];
    expect(dead('TIKTOK_PROCESSING_INTERNAL', ['UPLOAD_URL_EXPIRED', ...twice.slice(1)]).kind).toBe('start_over');
    const end = dead('TIKTOK_PROCESSING_INTERNAL', twice);
    expect(end).toMatchObject({ kind: 'end', to: 'failed', error: { row: { retryable: true } } });
    const { advice } = ERROR_TABLE.TIKTOK_PROCESSING_INTERNAL;
    expect(advice).toContain('at TikTok, not the encoding');
    // Another reason still has its own restarts.
    expect(dead('TIKTOK_PULL_FAILED', twice).kind).toBe('start_over');
  });
});

describe('a publish_id that TikTok does not know', () => {
  const unknown = (job: InterruptedJob, attempts: number) =>
    planAfterError({ ...job, attempts }, new PublishError('TIKTOK_PUBLISH_ID_UNKNOWN'), contextOf('publish'));

  it.each(JOBS.filter(({ exposure }) => exposure === 'open'))('of $name is waited for, then given up', ({ job }) => {
    expect(unknown(job, 3).kind).toBe('retry');
    expect(unknown(job, 4)).toMatchObject({ kind: 'start_over', attempts: 5 });
  });

  it.each(JOBS.filter(({ exposure }) => exposure === 'may_appear'))('of $name is never replaced', ({ job }) => {
    for (const attempts of [0, 3, 4, maxAttempts]) expect(unknown(job, attempts).kind).not.toBe('start_over');
  });
});

describe('a job that waits', () => {
  it.each(JOBS)('too long, $name, fails only if it cannot appear', ({ job, exposure }) => {
    const tired = { ...job, createdAt: NOW - 3 * DAY_MS, waitingFor: 'daily_cap' } as const;
    const end = planAfterWaiting(tired, { now: NOW, maxWaitMs: 2 * DAY_MS });
    expect(end?.to).toBe(mightBePublished(exposure) ? undefined : 'failed');
  });

  it("for a place within the app's cap, waits to the end of its time, whatever our own count says", () => {
    const job = { ...FRESH, createdAt: NOW - DAY_MS };
    const plan = (until: number, now = NOW) =>
      planAfterError(job, new Deferral('active_user_cap', until), { ...contextOf('publish'), now });
    expect(plan(NOW + DAY_MS / 2)).toMatchObject({ kind: 'wait', until: NOW + DAY_MS / 2 });
    expect(plan(NOW + 9 * DAY_MS)).toMatchObject({ kind: 'wait', until: NOW + DAY_MS });
    expect(plan(NOW + 9 * DAY_MS, NOW + DAY_MS)).toMatchObject({ kind: 'end', to: 'failed' });
    const daily = new Deferral('daily_cap', NOW + 9 * DAY_MS);
    expect(planAfterError(job, daily, contextOf('publish'))).toMatchObject({ kind: 'end', to: 'failed' });
  });
});

describe('the table in ARCHITECTURE.md', () => {
  const EXPOSURES = ['none', 'init_in_doubt', 'open', 'may_appear'] as const;

  function cell(exposure: Exposure, code: ErrorCode, attempts: number): string {
    const job = { ...(JOBS.find((each) => each.exposure === exposure)?.job ?? FRESH), attempts };
    const error = new PublishError(code);
    const say = (said?: StatusSaid): string => {
      const plan = planAfterError(job, error, contextOf('publish'), said);
      return plan.kind === 'end' ? plan.to : plan.kind;
    };
    if (say() !== 'ask_status') return say();
    const answers = [{ kind: 'has_everything' }, { kind: 'lacks_bytes' }, { kind: 'nothing' }] as const;
    return `ask: ${answers.map((said) => say(said)).join(' / ')}`;
  }

  it('is what the planner does', () => {
    const lines = [
      `| verdict | ${EXPOSURES.map((each) => `\`${each}\``).join(' | ')} |`,
      `|---|${EXPOSURES.map(() => '---|').join('')}`,
      ...Object.entries(VERDICTS).map(
        ([verdict, code]) => `| \`${verdict}\` | ${EXPOSURES.map((each) => cell(each, code, 0)).join(' | ')} |`,
      ),
      `| \`retry\`, attempts used up | ${EXPOSURES.map((each) => cell(each, VERDICTS.retry, maxAttempts)).join(' | ')} |`,
    ];
    const page = readFileSync(new URL('../../../ARCHITECTURE.md', import.meta.url), 'utf8');
    expect(page).toContain(lines.join('\n'));
  });
});
