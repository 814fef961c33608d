import { expect, it } from 'vitest';
import { changeTexts } from '../../../src/core/audit-change.ts';

it('tells what was set, changed and removed apart', () => {
  expect(changeTexts(null, { reason: 'maintenance', until: null })).toEqual(['reason: maintenance']);
  expect(changeTexts({ state: 'failed' }, { state: 'queued' })).toEqual(['state: failed → queued']);
  expect(changeTexts({ reason: 'maintenance' }, { reason: null })).toEqual(['reason: maintenance → none']);
  expect(changeTexts({ scopes: ['read'] }, null)).toEqual(['scopes: ["read"] → none']);
});

it('leaves out what is as it was', () => {
  const times = { at: '2026-12-01T10:00:00Z', accounts: ['acme'] };
  expect(changeTexts({ ...times, priority: 0 }, { ...times, accounts: ['acme'], priority: 5 })).toEqual([
    'priority: 0 → 5',
  ]);
});
