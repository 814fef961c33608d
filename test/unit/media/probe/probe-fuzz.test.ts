import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkMediaRules } from '../../../../src/core/media-rules.ts';
import { probeMedia } from '../../../../src/media/probe/probe-media.ts';
import { type SeededRandom, seededRandom } from '../../../chaos/seeded-random.ts';
import { bufferSource } from '../../../support/buffer-source.ts';
import { MEDIA_FIXTURES, mediaFixture } from '../../../support/media-fixtures.ts';

const SEED = Number(process.env.FUZZ_SEED ?? Date.now() % 1_000_000_000);
const ROUNDS_PER_FILE = Number(process.env.FUZZ_ROUNDS ?? 60);
/** Far more time of a core than any probe of a small file takes (µs). */
const MOST_CPU_US = 3_000_000;
const MOST_HEAP_BYTES = 200_000_000;

const VIDEOS = ['h264.mp4', 'h264-front.mp4', 'h264.mov', 'fragmented.mp4', 'vp9.mp4', 'vp9.webm', 'vp8.webm'];
/** Numbers at which parsers stumble. */
const EVIL_NUMBERS = [0, 1, 7, 8, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff] as const;
const BOX_TYPES = [
  'moov',
  'trak',
  'mdia',
  'stbl',
  'stts',
  'ctts',
  'stsz',
  'stsc',
  'stsd',
  'avcC',
  'moof',
  'trun',
  'mvex',
] as const;

/** One way to spoil a video. */
type Spoil = (bytes: Buffer, random: SeededRandom) => Buffer;

const SPOILS: Record<string, Spoil> = {
  'cut off': (bytes, random) => bytes.subarray(0, random.int(1, bytes.length)),
  'bytes flipped': (bytes, random) => {
    const spoilt = Buffer.from(bytes);
    for (let i = random.int(1, 40); i > 0; i--) spoilt[random.int(0, spoilt.length - 1)] = random.int(0, 255);
    return spoilt;
  },
  'numbers replaced near its start': (bytes, random) =>
    withEvilNumbers(bytes, random, 0, Math.min(2_000, bytes.length)),
  'numbers replaced near its end': (bytes, random) =>
    withEvilNumbers(bytes, random, Math.max(0, bytes.length - 6_000), bytes.length),
  'a box with evil fields': (bytes, random) => {
    const spoilt = Buffer.from(bytes);
    const at = spoilt.indexOf(random.pick(BOX_TYPES), 0, 'latin1');
    if (at < 4) return spoilt;
    const field = at + random.pick([-4, 4, 8, 12, 16, 20]);
    if (field + 4 <= spoilt.length) spoilt.writeUInt32BE(random.pick(EVIL_NUMBERS), field);
    return spoilt;
  },
  'a stretch repeated': (bytes, random) => {
    const start = random.int(0, bytes.length);
    const stretch = bytes.subarray(start, start + random.int(1, 4_000));
    return Buffer.concat([
      bytes.subarray(0, start),
      ...Array<Buffer>(random.int(2, 30)).fill(stretch),
      bytes.subarray(start),
    ]);
  },
};

function withEvilNumbers(bytes: Buffer, random: SeededRandom, from: number, to: number): Buffer {
  const spoilt = Buffer.from(bytes);
  for (let i = random.int(1, 8); i > 0 && to - from > 4; i--) {
    spoilt.writeUInt32BE(random.pick(EVIL_NUMBERS), random.int(from, to - 4));
  }
  return spoilt;
}

describe(`a spoilt video (FUZZ_SEED=${SEED})`, () => {
  const cases = VIDEOS.flatMap((name) => Object.keys(SPOILS).map((how) => ({ name, how })));

  it.each(cases)('$name, $how: is probed soon, in little memory, by ranges within it', async ({ name, how }) => {
    const whole = readFileSync(mediaFixture(name));
    const random = seededRandom(SEED + cases.findIndex((each) => each.name === name && each.how === how));
    for (let round = 0; round < ROUNDS_PER_FILE; round++) {
      const spoilt = SPOILS[how]?.(whole, random) ?? whole;
      const source = bufferSource(spoilt);
      const cpuBefore = process.cpuUsage();
      const heapBefore = process.memoryUsage().heapUsed;
      const { facts } = await probeMedia(source);
      const label = `round ${round} of seed ${SEED}`;
      expect(process.cpuUsage(cpuBefore).user, label).toBeLessThan(MOST_CPU_US);
      expect(process.memoryUsage().heapUsed - heapBefore, label).toBeLessThan(MOST_HEAP_BYTES);
      const bytesRead = source.ranges.reduce((sum, [start, end]) => sum + end - start, 0);
      expect(bytesRead, label).toBeLessThanOrEqual(33_554_432);
      expect(() => JSON.stringify(checkMediaRules(facts, 'direct')), label).not.toThrow();
    }
  });
});

describe('an index that promises more than it holds', () => {
  const whole = readFileSync(mediaFixture('h264.mp4'));

  it.each(['stts', 'ctts', 'stsz', 'stsc', 'stco', 'stss'])('in %s costs neither time nor memory', async (type) => {
    const spoilt = Buffer.from(whole);
    const at = spoilt.indexOf(type, 0, 'latin1');
    expect(at).toBeGreaterThan(0);
    // The number of entries, and then that of the frames in the first one.
    for (const field of [8, 12, 16]) {
      spoilt.writeUInt32BE(0xffffffff, at + field);
      const cpuBefore = process.cpuUsage();
      const heapBefore = process.memoryUsage().heapUsed;
      await probeMedia(bufferSource(spoilt));
      expect(process.cpuUsage(cpuBefore).user).toBeLessThan(MOST_CPU_US);
      expect(process.memoryUsage().heapUsed - heapBefore).toBeLessThan(MOST_HEAP_BYTES);
    }
  });

  it('of a million boxes costs neither time nor memory', async () => {
    const boxes = Buffer.alloc(8_000_000);
    for (let at = 0; at < boxes.length; at += 8) {
      boxes.writeUInt32BE(8, at);
      boxes.write('trak', at + 4, 'latin1');
    }
    const head = Buffer.alloc(8);
    head.writeUInt32BE(8 + boxes.length);
    head.write('moov', 4, 'latin1');
    const cpuBefore = process.cpuUsage();
    const { facts } = await probeMedia(
      bufferSource(Buffer.concat([whole.subarray(0, whole.readUInt32BE(0)), head, boxes])),
    );
    expect(process.cpuUsage(cpuBefore).user).toBeLessThan(MOST_CPU_US);
    expect(facts.video).toBeNull();
  });
});

describe('the fixtures', () => {
  it('are read within them, whatever is in them', async () => {
    for (const { path } of MEDIA_FIXTURES) {
      const bytes = readFileSync(path);
      const source = bufferSource(bytes);
      await probeMedia(source);
      expect(source.ranges.every(([start, end]) => start >= 0 && end <= bytes.length)).toBe(true);
    }
  });
});
