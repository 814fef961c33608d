import { expect, it } from 'vitest';
import { distrustOf, foreignOwner } from '../../../src/core/file-trust.ts';

const ME = 1_000;

it.each([
  ['of this user', { uid: ME, gid: ME, mode: 0o100600 }],
  ['of this user that all may read', { uid: ME, gid: 100, mode: 0o100644 }],
  ["that this user's own group may change", { uid: ME, gid: ME, mode: 0o100664 }],
  ['of root, as containers mount it', { uid: 0, gid: 2_000, mode: 0o100440 }],
])('believes a file %s', (_what, file) => {
  expect(distrustOf(file, ME)).toBeUndefined();
});

it.each([
  ['of another user', { uid: 1_001, gid: 1_001, mode: 0o100600 }, 'belongs to another user (1001)'],
  ['that everybody may change', { uid: ME, gid: ME, mode: 0o100666 }, 'can be changed by every user'],
  ['that a group of others may change', { uid: ME, gid: 100, mode: 0o100664 }, 'can be changed by the group 100'],
  ['of root that everybody may change', { uid: 0, gid: 0, mode: 0o100646 }, 'can be changed by every user'],
])('does not believe a file %s', (_what, file, reason) => {
  expect(distrustOf(file, ME)).toBe(reason);
});

it('believes, as root, what is of root alone', () => {
  expect(distrustOf({ uid: 0, gid: 0, mode: 0o100644 }, 0)).toBeUndefined();
  expect(distrustOf({ uid: ME, gid: ME, mode: 0o100600 }, 0)).toBe('belongs to another user (1000)');
});

it('asks for no owners where the system has none', () => {
  expect(distrustOf({ uid: 0, gid: 0, mode: 0o100666 }, undefined)).toBeUndefined();
  expect(foreignOwner({ uid: 7 }, undefined)).toBeUndefined();
});
