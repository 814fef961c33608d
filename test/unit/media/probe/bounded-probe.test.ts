import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkMediaRules } from '../../../../src/core/media-rules.ts';
import type { MediaSource } from '../../../../src/core/ports.ts';
import { PublishError } from '../../../../src/core/publish-error.ts';
import { PROBE_LIMITS, probeMedia } from '../../../../src/media/probe/probe-media.ts';
import { bufferSource } from '../../../support/buffer-source.ts';
import { mediaFixture } from '../../../support/media-fixtures.ts';

const GIGABYTE = 1_000_000_000;

/** An ISO file of any size whose `mdat` is all zeros, which nothing has in memory. */
function largeSource(moovAt: 'front' | 'end', sizeBytes = GIGABYTE) {
  const small = readFileSync(mediaFixture('h264-front.mp4'));
  const moovStart = small.readUInt32BE(0);
  const moov = small.subarray(moovStart, moovStart + small.readUInt32BE(moovStart));
  const mdat = Buffer.alloc(16);
  mdat.writeUInt32BE(1);
  mdat.write('mdat', 4, 'latin1');
  const mdatBytes = sizeBytes - moovStart - moov.length;
  mdat.writeBigUInt64BE(BigInt(mdatBytes), 8);
  const moovAtByte = moovAt === 'front' ? moovStart : sizeBytes - moov.length;
  const mdatAtByte = moovAt === 'front' ? moovStart + moov.length : moovStart;
  const parts = [
    { at: 0, bytes: small.subarray(0, moovStart) },
    { at: moovAtByte, bytes: moov },
    { at: mdatAtByte, bytes: mdat },
  ];
  const ranges: [number, number][] = [];
  const source: MediaSource = {
    pin: { sizeBytes, version: '1' },
    contentType: 'video/mp4',
    async *read(startByte, endByteExclusive) {
      ranges.push([startByte, endByteExclusive]);
      const piece = Buffer.alloc(endByteExclusive - startByte);
      for (const { at, bytes } of parts) {
        const from = Math.max(at, startByte);
        const to = Math.min(at + bytes.length, endByteExclusive);
        if (from < to) bytes.copy(piece, from - startByte, from - at, to - at);
      }
      yield piece;
    },
    verifyUnchanged: async () => undefined,
    close: async () => undefined,
  };
  return { source, ranges };
}

describe('the probe of a gigabyte', () => {
  it.each(['front', 'end'] as const)(
    'with its index at the %s reads some ranges of a few kilobytes',
    async (moovAt) => {
      const { source, ranges } = largeSource(moovAt);
      const { facts } = await probeMedia(source);
      expect(facts).toMatchObject({ moov: moovAt, durationSeconds: 4, video: { codec: 'h264', frameRate: 30 } });
      expect(checkMediaRules(facts, 'direct')).toEqual([]);
      expect(ranges.length).toBeLessThanOrEqual(3);
      expect(ranges.reduce((sum, [start, end]) => sum + end - start, 0)).toBeLessThan(200_000);
    },
  );
});

describe('the limits of a probe', () => {
  it('are 32 MiB and 15 seconds', () => {
    expect(PROBE_LIMITS).toEqual({ maxBytes: 33_554_432, maxMs: 15_000 });
  });

  it.each(['h264.mp4', 'vp9.webm'])('keep what is read of %s below the bytes allowed, and say so', async (name) => {
    const source = bufferSource(readFileSync(mediaFixture(name)));
    const { facts } = await probeMedia(source, { limits: { maxBytes: 4_000, maxMs: 15_000 } });
    expect(source.ranges.reduce((sum, [start, end]) => sum + end - start, 0)).toBeLessThanOrEqual(4_000);
    expect(facts.unread).not.toEqual([]);
    expect(checkMediaRules(facts, 'direct')).toMatchObject([{ code: 'MEDIA_NOT_EXAMINED', severity: 'warn' }]);
  });

  it('end a read that never ends', async () => {
    const source = bufferSource(readFileSync(mediaFixture('h264.mp4')));
    const stuck: MediaSource = {
      ...source,
      read: async function* () {
        await new Promise(() => undefined);
      },
    };
    const { facts } = await probeMedia(stuck, { limits: { maxBytes: 1_000_000, maxMs: 30 } });
    expect(facts.unread).toEqual(['it took longer than 0.03 seconds']);
  });

  it('give way to a signal', async () => {
    const reason = new Error('shutting down');
    const probing = probeMedia(bufferSource(readFileSync(mediaFixture('h264.mp4'))), {
      signal: AbortSignal.abort(reason),
    });
    await expect(probing).rejects.toBe(reason);
  });
});

describe('an error of the source', () => {
  it.each(['h264.mp4', 'vp9.webm'])('is not one of the video %s', async (name) => {
    const source = bufferSource(readFileSync(mediaFixture(name)));
    const changed = new PublishError('INPUT_MEDIA_CHANGED');
    const failing: MediaSource = {
      ...source,
      // biome-ignore lint/correctness/useYield: that is the point
      read: async function* () {
        throw changed;
      },
    };
    await expect(probeMedia(failing)).rejects.toBe(changed);
  });
});
