import { describe, expect, it } from 'vitest';
import { asTyped, typedName } from '../../../src/cli/option-names.ts';
import { preflightText } from '../../../src/cli/preflight-text.ts';
import { ERROR_TABLE } from '../../../src/core/error-table.ts';
import { findingOf } from '../../../src/core/preflight-finding.ts';
import { CHECKED, notChecked } from '../../../src/core/preflight-report.ts';

describe('what is said on the command line', () => {
  it('gives no advice in the JSON of a request', () => {
    const typed = Object.entries(ERROR_TABLE).map(([code, { advice }]) => [code, asTyped(advice)] as const);
    const asJson = typed.filter(([, advice]) => /"\w+": |media\.type|onDuplicate|fallback"|"urls"/.test(advice));
    expect(asJson).toEqual([]);
    expect(asTyped(ERROR_TABLE.INPUT_DUPLICATE_VIDEO.advice)).toContain('enqueue it again with --on-duplicate allow.');
  });

  it.each([
    ['post.privacyLevel', '--privacy'],
    ['scheduledAt', '--at'],
    ['expiresInMs', '--expires-in'],
    ['returnTo', '--return-to'],
    ['media.items.0', 'photo 1'],
    ['media.urls.11', 'photo 12'],
    ['media.frameRate', 'media.frameRate'],
  ])('names %s as %s', (field, name) => {
    expect(typedName(field)).toBe(name);
  });

  it('names in a dry run what was typed', () => {
    const skipped = notChecked('no need');
    const text = preflightText({
      ok: true,
      findings: [
        findingOf('INPUT_DUPLICATE_VIDEO', { severity: 'warn', field: 'media', limit: null, found: 'another job' }),
        findingOf('INPUT_SCHEDULED_IN_PAST', { severity: 'warn', field: 'scheduledAt', limit: null, found: 'then' }),
      ],
      facts: null,
      checked: {
        ...{ request: CHECKED, media: skipped, duplicates: skipped },
        ...{ account: skipped, creator: skipped, quota: skipped },
      },
    });
    expect(text).toContain('--on-duplicate allow');
    expect(text).toContain('warn    --at: then (INPUT_SCHEDULED_IN_PAST)');
    expect(text).not.toMatch(/onDuplicate|scheduledAt/);
  });
});
