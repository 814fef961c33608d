import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  chunkAt,
  chunkIndexAtOffset,
  edgeForReport,
  MAX_CHUNK_BYTES,
  MAX_CHUNK_COUNT,
  MAX_LAST_CHUNK_BYTES,
  MAX_VIDEO_BYTES,
  MIN_CHUNK_BYTES,
  planChunks,
} from '../../../src/core/chunk-plan.ts';

const preferred = fc.integer({ min: 1, max: 2 * MAX_CHUNK_BYTES });
/** Any size, with those around the limits more often than chance would give them. */
const totalBytes = fc.oneof(
  fc.integer({ min: 1, max: MAX_VIDEO_BYTES }),
  fc.integer({ min: 1, max: 2 * MAX_CHUNK_BYTES + 2 }),
  fc
    .tuple(
      fc.constantFrom(1, MIN_CHUNK_BYTES, 10_000_000, MAX_CHUNK_BYTES, 2 * MAX_CHUNK_BYTES),
      fc.integer({ min: -2, max: 2 }),
    )
    .map(([edge, off]) => Math.max(1, edge + off)),
);
const plan = fc.tuple(totalBytes, preferred).map(([total, chunk]) => planChunks(total, chunk));

describe('planChunks', () => {
  it.each([
    // content-posting-api-media-transfer-guide's own examples
    [4_194_304, 10_000_000, 4_194_304, 1],
    [50_000_123, 10_000_000, 10_000_000, 5],
    // sizes at which the limits meet
    [64_000_000, 64_000_000, 64_000_000, 1],
    [64_000_001, 64_000_000, 32_000_000, 2],
    [64_000_001, 32_000_000, 32_000_000, 2],
    [127_999_999, 64_000_000, 63_999_999, 2],
    [158_008_374, 5_242_880, 5_242_880, 30],
    [4_000_000_000, 32_000_000, 32_000_000, 125],
    [4_000_000_000, 1, 5_242_880, 762],
    [19_999_999, 10_000_000, 19_999_999, 1],
    [20_000_000, 10_000_000, 10_000_000, 2],
    [1, 10_000_000, 1, 1],
  ])('cuts %i bytes, %i preferred, into chunks of %i: %i of them', (total, chunk, chunkSizeBytes, chunkCount) => {
    expect(planChunks(total, chunk)).toEqual({ totalBytes: total, chunkSizeBytes, chunkCount });
  });

  it('keeps every bound of TikTok for every size', () => {
    fc.assert(
      fc.property(plan, ({ totalBytes: total, chunkSizeBytes, chunkCount }) => {
        const lastBytes = total - (chunkCount - 1) * chunkSizeBytes;
        expect(chunkCount).toBe(Math.floor(total / chunkSizeBytes));
        expect(chunkCount).toBeGreaterThanOrEqual(1);
        expect(chunkCount).toBeLessThanOrEqual(MAX_CHUNK_COUNT);
        expect(lastBytes).toBeLessThanOrEqual(MAX_LAST_CHUNK_BYTES);
        expect(chunkSizeBytes).toBeLessThanOrEqual(MAX_CHUNK_BYTES);
        if (chunkCount === 1) expect(chunkSizeBytes).toBe(total);
        else expect(chunkSizeBytes).toBeGreaterThanOrEqual(MIN_CHUNK_BYTES);
      }),
      { numRuns: 5_000 },
    );
  });

  it('covers the file exactly, chunk after chunk', () => {
    fc.assert(
      fc.property(plan, (cut) => {
        let offset = 0;
        for (let index = 0; index < cut.chunkCount; index += 1) {
          const chunk = chunkAt(cut, index);
          if (chunk.startByte !== offset || chunk.endByteExclusive <= offset) expect(chunk).toBe(`at ${offset}`);
          offset = chunk.endByteExclusive;
          if (chunk.isLast !== (index === cut.chunkCount - 1)) expect(chunk.isLast).toBe(index);
        }
        expect(offset).toBe(cut.totalBytes);
      }),
    );
  });

  it.each([0, -1, 1.5, Number.NaN, MAX_VIDEO_BYTES + 1])('refuses a file of %d bytes', (total) => {
    expect(() => planChunks(total)).toThrow(RangeError);
  });

  it.each([0, Number.NaN])('refuses a preference of %d bytes', (chunk) => {
    expect(() => planChunks(1, chunk)).toThrow('expected preferredChunkBytes above 0');
  });
});

describe('chunkAt', () => {
  it.each([-1, 5, 0.5])('refuses the index %d of five chunks', (index) => {
    expect(() => chunkAt(planChunks(50_000_123), index)).toThrow('expected a chunk index from 0 to 4');
  });
});

describe('chunkIndexAtOffset', () => {
  it('finds the chunk that starts at an offset', () => {
    const cut = planChunks(50_000_123);
    expect(chunkIndexAtOffset(cut, 40_000_000)).toBe(4);
    expect(chunkIndexAtOffset(cut, 40_000_001)).toBeUndefined();
    expect(chunkIndexAtOffset(cut, 50_000_000)).toBeUndefined();
    expect(chunkIndexAtOffset(cut, 50_000_123)).toBeUndefined();
  });
});

describe('edgeForReport', () => {
  it('understands a count and a last index alike, at every edge', () => {
    fc.assert(
      fc.property(plan, fc.nat(), (cut, pick) => {
        fc.pre(cut.totalBytes > 1);
        const index = pick % (cut.chunkCount + 1);
        const edge = index === cut.chunkCount ? cut.totalBytes : index * cut.chunkSizeBytes;
        expect(edgeForReport(cut, edge)).toBe(edge);
        if (edge > 0) expect(edgeForReport(cut, edge - 1)).toBe(edge);
      }),
    );
  });

  it('says nothing about reports off the edges', () => {
    fc.assert(
      fc.property(plan, fc.integer({ min: -5, max: MAX_VIDEO_BYTES + 5 }), (cut, reported) => {
        const isEdge = (offset: number) =>
          offset === cut.totalBytes ||
          (offset >= 0 && offset < cut.chunkCount * cut.chunkSizeBytes && offset % cut.chunkSizeBytes === 0);
        expect(edgeForReport(cut, reported) !== undefined).toBe(isEdge(reported) || isEdge(reported + 1));
      }),
    );
  });
});
