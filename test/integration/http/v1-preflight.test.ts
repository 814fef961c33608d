import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startApi, useApi } from '../../support/api-site.ts';
import { mediaFixture } from '../../support/media-fixtures.ts';

const ROOTS = { MEDIA_ROOTS: dirname(mediaFixture('h264.mp4')) };
const draft = (name: string) => ({
  account: 'nobody',
  mode: 'inbox',
  media: { type: 'file', path: mediaFixture(name) },
});

describe('POST /v1/preflight', () => {
  const withRoots = useApi(ROOTS);

  it('answers the report, with everything that was found, and enqueues nothing', async () => {
    const api = withRoots();
    const { status, body } = await api.call('POST', '/v1/preflight', draft('fps-12.mp4'));
    expect(status).toBe(200);
    expect(body).toMatchObject({
      ok: false,
      findings: [
        {
          code: 'INPUT_MEDIA_FRAME_RATE',
          severity: 'refuse',
          field: 'media.frameRate',
          limit: '23 to 60 frames per second',
          found: '12',
          advice: expect.stringContaining('ffmpeg'),
        },
        {
          code: 'INPUT_ACCOUNT_UNKNOWN',
          severity: 'refuse',
          field: 'account',
          limit: null,
          found: 'no account nobody is connected',
        },
      ],
      facts: { container: 'mp4', durationSeconds: 4, video: { codec: 'h264', frameRate: 12 } },
      checked: { media: { checked: true }, creator: { checked: false, reason: expect.any(String) } },
    });
    expect((await api.call('GET', '/v1/publishes')).body).toMatchObject({ jobs: [] });
  });

  it.each(['h264.mov', 'vp9.webm', 'fragmented.mp4', 'truncated.mp4', 'audio-only.mp4', 'empty.mp4'])(
    'has a field for all that is found in %s',
    async (name) => {
      expect(await withRoots().call('POST', '/v1/preflight', draft(name))).toMatchObject({ status: 200 });
    },
  );

  it('refuses a request that is not valid and a file from elsewhere, as the enqueueing does', async () => {
    const api = await startApi();
    const invalid = await api.call('POST', '/v1/preflight', { account: 'a', mode: 'loud', media: {} });
    expect(invalid).toMatchObject({ status: 400, body: { code: 'INPUT_INVALID' } });
    const elsewhere = await api.call('POST', '/v1/preflight', draft('h264.mp4'));
    expect(elsewhere).toMatchObject({ status: 403, body: { code: 'INPUT_MEDIA_OUTSIDE_ROOTS' } });
  });
});
