import { expect, it } from 'vitest';
import { PublishError } from '../../../src/core/publish-error.ts';
import { parseNewRequest, parsePublishRequest } from '../../../src/core/publish-request.ts';

const valid = { account: 'acme', mode: 'inbox', media: { type: 'file', path: '/videos/a.mp4' } };

function problemsOf(input: unknown): Record<string, string> {
  try {
    parseNewRequest(input);
  } catch (error) {
    if (!(error instanceof PublishError)) throw error;
    return Object.fromEntries((error.details.problems ?? []).map(({ path, message }) => [path, message]));
  }
  return {};
}

it('refuses numbers in metadata that a JSON parser has rounded, and says to write them as texts', () => {
  const metadata = JSON.parse('{"order": 1234567890123456789, "rows": [1, {"id": -9007199254740993}], "far": 1e400}');
  const problems = problemsOf({ ...valid, mode: 'both', metadata });
  expect(Object.keys(problems)).toEqual(['mode', 'metadata.order', 'metadata.rows.1.id', 'metadata.far']);
  expect(problems['metadata.order']).toContain('write it as a text');
  expect(Object.keys(problemsOf({ ...valid, metadata: { id: 10n } }))).toEqual(['metadata.id']);
});

it('keeps every number that is exact', () => {
  const metadata = { text: '1234567890123456789', most: 9007199254740991, price: 12.34, tiny: 1e-7, none: 0, no: null };
  expect(parseNewRequest({ ...valid, metadata }).metadata).toEqual(metadata);
  expect(parseNewRequest(valid)).toEqual(valid);
});

it('does not make a job unreadable that was accepted before', () => {
  const metadata = JSON.parse('{"order": 1234567890123456789}');
  expect(parsePublishRequest({ ...valid, metadata }).metadata).toEqual(metadata);
});
