import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ERROR_TABLE, isErrorCode } from '../../../src/core/error-table.ts';
import { PublishError, toPublishError } from '../../../src/core/publish-error.ts';
import type { ErrorRow, VerdictKind } from '../../../src/core/verdict.ts';

const rows: [string, ErrorRow][] = Object.entries(ERROR_TABLE);

const THEN: Record<VerdictKind, string> = {
  give_up: 'fails',
  retry: 'retries',
  wait: 'waits',
  refresh_token: 'refreshes the token',
  resync_offset: 'resumes',
  new_init: 'restarts',
  ask_status: 'checks the status',
  unconfirmed: 'is unconfirmed',
  superseded: 'another worker acts',
};

function documentedRows(): string[][] {
  const page = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8');
  return page
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.slice(2, -2).split(' | '));
}

describe('the error table', () => {
  it('is what docs/errors.md says, code for code and word for word', () => {
    const expected = rows.map(([code, row]) => [`\`${code}\``, row.message, THEN[row.verdict], row.advice]);
    expect(documentedRows()).toEqual(expected);
  });

  it('names each code by the group of who can act', () => {
    const groups =
      /^(INPUT|IDEMPOTENCY|JOB|WAIT|AUTH|TIKTOK|TRANSPORT|UPLOAD|OUTBOUND|CALLBACK|EVENTS|OPERATION|CONFIG|REDIS|INTERNAL)_[A-Z_]+$/;
    for (const [code] of rows) expect(code).toMatch(groups);
  });

  it.each(rows)('%s has a message without advice and an advice that is a sentence', (_code, row) => {
    expect(row.message).toMatch(/^(?!.*\.$)/);
    expect(row.advice).toMatch(/^[A-Z`].*\.$/);
    expect(`${row.message}${row.advice}`).not.toContain(' | ');
  });

  it.each(rows)('%s waits for something and for how long exactly if its verdict is to wait', (_code, row) => {
    expect(row.waitReason !== undefined).toBe(row.verdict === 'wait');
    expect((row.waitMs ?? 0) > 0).toBe(row.verdict === 'wait');
  });

  it('never offers to retry as it is what nobody knows the outcome of', () => {
    const unconfirmed = rows.filter(([, row]) => row.verdict === 'unconfirmed');
    expect(unconfirmed.map(([code]) => code)).toEqual(['TIKTOK_LOST_INIT', 'TIKTOK_NO_OUTCOME', 'REDIS_WENT_BACK']);
    for (const [, row] of unconfirmed) expect(row).toMatchObject({ retryable: false, outcomeKnown: false });
  });

  it.each(rows)('%s may be retried by hand if its advice says so', (_code, row) => {
    if (/\b([Tt]hen|and) retry\b/.test(row.advice)) expect(row.retryable).toBe(true);
    expect(row.verdict === 'retry' && !row.retryable).toBe(false);
  });

  it('waits at least a minute after a rate limit, the length of the window', () => {
    expect(ERROR_TABLE.TIKTOK_RATE_LIMITED.waitMs).toBeGreaterThanOrEqual(60_000);
  });

  it('knows its own codes and no inherited name', () => {
    expect(isErrorCode('TIKTOK_SPAM')).toBe(true);
    expect(isErrorCode('toString')).toBe(false);
  });
});

describe('PublishError', () => {
  it('renders its text from the code and the safe details', () => {
    const error = new PublishError('TIKTOK_SPAM', { tiktokCode: 'spam_risk', tiktokMessage: 'no' });
    expect(error.message).toBe('TikTok flagged the post as spam (TikTok: spam_risk: no)');
    expect(error.row.verdict).toBe('give_up');
  });

  it('caps what TikTok wrote', () => {
    const error = new PublishError('TIKTOK_SPAM', { tiktokMessage: 'x'.repeat(10_000) });
    expect(error.details.tiktokMessage).toHaveLength(501);
    expect(error.message.length).toBeLessThan(700);
  });

  it('takes an unforeseen error in without its text, which may hold secrets', () => {
    const cause = new Error('token act.123');
    const error = toPublishError(cause);
    expect(error).toMatchObject({ code: 'INTERNAL_ERROR', cause });
    expect(error.message).not.toContain('act.123');
  });
});
