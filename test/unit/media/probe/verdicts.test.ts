import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { checkMediaRules } from '../../../../src/core/media-rules.ts';
import { PublishError } from '../../../../src/core/publish-error.ts';
import { openFileSource } from '../../../../src/media/file-source.ts';
import { probeMedia } from '../../../../src/media/probe/probe-media.ts';
import { MEDIA_FIXTURES, type MediaFixture } from '../../../support/media-fixtures.ts';

interface Verdict {
  readonly refused: readonly string[];
  readonly warned: readonly string[];
}

/** What opening and probing a file leads to, for a draft. */
async function verdictOf(path: string): Promise<Verdict> {
  try {
    const source = await openFileSource(path);
    try {
      const findings = checkMediaRules((await probeMedia(source)).facts, 'inbox');
      const codes = (wanted: string) => findings.filter(({ severity }) => severity === wanted).map(({ code }) => code);
      return { refused: codes('refuse'), warned: codes('warn') };
    } finally {
      await source.close();
    }
  } catch (error) {
    if (error instanceof PublishError) return { refused: [error.code], warned: [] };
    throw error;
  }
}

describe('the verdict on a file', () => {
  it.each(MEDIA_FIXTURES)('$name: $what', async ({ path, refused, warned }) => {
    expect(await verdictOf(path)).toEqual({ refused, warned });
  });

  it('stands in docs/preflight.md, file by file', () => {
    const doc = readFileSync(new URL('../../../../docs/preflight.md', import.meta.url), 'utf8');
    const section = doc.split(/^## /m).find((text) => text.startsWith('Files and verdicts')) ?? '';
    const rows = section.split('\n').filter((line) => line.startsWith('| `'));
    expect(rows).toEqual(
      MEDIA_FIXTURES.map(({ name, what, ...verdict }) => `| \`${name}\` | ${what} | ${say(verdict)} |`),
    );
  });

  it('is kept small', () => {
    const sizes = MEDIA_FIXTURES.map(({ path }) => statSync(path).size);
    expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(2_000_000);
  });
});

function say({ refused, warned }: Verdict): string {
  const codes = (list: readonly string[]) => list.map((code) => `\`${code}\``).join(', ');
  if (refused.length > 0) return `refused: ${codes(refused)}`;
  return warned.length > 0 ? `warned: ${codes(warned)}` : 'passes';
}

const ffprobe = spawnSync('ffprobe', ['-version']).error === undefined;

describe.skipIf(!ffprobe)(`ffprobe${ffprobe ? '' : ' (not on the PATH: skipped)'}`, () => {
  it.each(MEDIA_FIXTURES)('leads to the same verdict on $name', (fixture) => {
    const { refused, warned } = fixture;
    // It knows no web pages.
    const asFfprobe = (code: string) => (code === 'INPUT_MEDIA_WEB_PAGE' ? 'INPUT_MEDIA_CONTAINER_UNSUPPORTED' : code);
    expect(impliedByFfprobe(fixture)).toEqual({ refused: refused.map(asFfprobe), warned });
  });
});

const readingSchema = z.object({
  streams: z.array(
    z.object({
      codec_type: z.string().optional(),
      codec_name: z.string().optional(),
      avg_frame_rate: z.string().optional(),
      width: z.number().optional(),
      height: z.number().optional(),
    }),
  ),
  format: z.object({ format_name: z.string(), duration: z.coerce.number().optional() }),
});

/** TikTok's limits held against what ffprobe says, without any code of ours. */
function impliedByFfprobe({ path }: MediaFixture): Verdict {
  if (statSync(path).size === 0) return refusal('INPUT_MEDIA_EMPTY');
  const fields = 'stream=codec_type,codec_name,avg_frame_rate,width,height:format=format_name,duration';
  const args = ['-v', 'warning', '-count_packets', '-show_entries', fields, '-of', 'json', path];
  const { stdout, stderr, status } = spawnSync('ffprobe', args, { encoding: 'utf8' });
  if (stderr.includes('misdetection possible')) return refusal('INPUT_MEDIA_CONTAINER_UNSUPPORTED');
  if (/moov atom not found|partial file|ended prematurely/.test(stderr)) return refusal('INPUT_MEDIA_INCOMPLETE');
  if (status !== 0) return refusal('INPUT_MEDIA_CONTAINER_UNSUPPORTED');
  const { streams, format } = readingSchema.parse(JSON.parse(stdout));
  if (!/mp4|webm/.test(format.format_name)) return refusal('INPUT_MEDIA_CONTAINER_UNSUPPORTED');
  const video = streams.find(({ codec_type }) => codec_type === 'video');
  if (video === undefined) return refusal('INPUT_MEDIA_NO_VIDEO');
  const [frames = 0, seconds = 1] = (video.avg_frame_rate ?? '').split('/').map(Number);
  const { width = 0, height = 0 } = video;
  const duration = format.duration ?? 0;
  const refused = [
    !['h264', 'hevc', 'vp8', 'vp9'].includes(video.codec_name ?? '') && 'INPUT_MEDIA_CODEC',
    (frames / seconds < 23 || frames / seconds > 60) && 'INPUT_MEDIA_FRAME_RATE',
    (Math.min(width, height) < 360 || Math.max(width, height) > 4_096) && 'INPUT_MEDIA_PICTURE_SIZE',
    duration > 600 && 'INPUT_MEDIA_DURATION',
  ].filter((code) => code !== false);
  return { refused, warned: duration < 3 ? ['INPUT_MEDIA_DURATION'] : [] };
}

function refusal(code: string): Verdict {
  return { refused: [code], warned: [] };
}
