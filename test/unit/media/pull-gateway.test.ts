import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Media } from '../../../src/core/new-request.ts';
import { PublishError } from '../../../src/core/publish-error.ts';
import type { PublishState } from '../../../src/core/publish-state.ts';
import { HOUR_MS } from '../../../src/core/units.ts';
import { createPullGateway, type PullGatewayDeps } from '../../../src/media/pull-gateway.ts';
import { linkMaker } from '../../../src/media/pull-links.ts';
import { createSealer } from '../../../src/sealing/sealer.ts';
import { bufferSource } from '../../support/buffer-source.ts';

const source = bufferSource(randomBytes(100));
const FILE: Media = { type: 'file', path: '/srv/a.mp4', via: 'pull' };

interface JobFacts {
  readonly media?: Media;
  readonly state?: PublishState;
  readonly fellBackAt?: number;
  readonly cancelRequestedAt?: number;
}

function gateway({ media = FILE, state = 'processing', ...times }: JobFacts = {}) {
  let now = 0;
  const clock = { now: () => now };
  const sealer = createSealer([randomBytes(32)]);
  const linkTo = linkMaker('https://publisher.example.com/tiktok', sealer, clock);
  const warned: unknown[] = [];
  const opened: unknown[] = [];
  const gatewayWith = (others: Partial<PullGatewayDeps>) =>
    createPullGateway({
      readJob: async (id) =>
        id === 'job' ? { state, ...times, request: { account: 'acme', mode: 'inbox', media } } : undefined,
      async openMedia(...asked) {
        opened.push(asked);
        return source;
      },
      requestSecrets: { open: async (request) => request },
      log: { warn: (facts: unknown) => void warned.push(facts) },
      ...{ sealer, clock, ...others },
    });
  const open =
    (others: Partial<PullGatewayDeps> = {}) =>
    async (token: string) => {
      const openLinked = await gatewayWith(others)(token);
      return openLinked === undefined ? 'not ours' : await openLinked();
    };
  return {
    ...{ open, opened, warned },
    pass: (ms: number) => {
      now += ms;
    },
    async token(jobId = 'job', index = 0): Promise<string> {
      const link = new URL(await linkTo(jobId, index, source));
      expect(`${link.origin}${link.pathname}`).toMatch(
        /^https:\/\/publisher\.example\.com\/tiktok\/pull\/[\w.-]+\/video\.mp4$/,
      );
      return link.pathname.split('/')[3] ?? '';
    },
  };
}

describe('a link by which TikTok downloads', () => {
  it('leads to the file that its job names, until a while after an hour', async () => {
    const { open, opened, token, pass } = gateway();
    const made = await token();
    expect(await open()(made)).toBe(source);
    expect(opened).toEqual([[FILE, 'video']]);
    pass(HOUR_MS);
    expect(await open()(made)).toBe(source);
    pass(HOUR_MS);
    expect(await open()(made)).toBe('expired');
  });

  it('leads to the one photo that it names', async () => {
    const items = [
      { type: 'pull', url: 'https://a.example.com/1.jpg' } as const,
      { type: 'file', path: '/2.jpg' } as const,
    ];
    const { open, opened, token } = gateway({ media: { type: 'photos', items } });
    expect(await open()(await token('job', 1))).toBe(source);
    expect(opened).toEqual([[items[1], 'photo']]);
    expect(await open()(await token('job', 0))).toBe('unknown');
    expect(await open()(await token('job', 2))).toBe('unknown');
  });

  it.each(['published', 'in_inbox', 'failed', 'cancelled', 'unconfirmed'] as const)(
    'leads to nothing once its job is %s',
    async (state) => {
      const { open, opened, token } = gateway({ state });
      expect(await open()(await token())).toBe('ended');
      expect(opened).toEqual([]);
    },
  );

  it('leads to nothing once somebody has cancelled its job, so that TikTok gets no more of it', async () => {
    const { open, token } = gateway({ cancelRequestedAt: 1 });
    expect(await open()(await token())).toBe('ended');
  });

  it('leads to nothing once its job goes on by an upload, of a job that is not known, or of another key', async () => {
    const fellBack = gateway({ fellBackAt: 1 });
    expect(await fellBack.open()(await fellBack.token())).toBe('ended');
    const { open, token } = gateway();
    expect(await open()(await token('other'))).toBe('unknown');
    expect(await open()(await fellBack.token())).toBe('not ours');
    const made = await token();
    expect(await open()(`${made.slice(0, -2)}AA`)).toBe('not ours');
    expect(await open()('')).toBe('not ours');
  });

  it('does not lead to a video that is uploaded, or has changed; why it is refused is logged only', async () => {
    const uploaded = gateway({ media: { type: 'file', path: '/srv/a.mp4' } });
    expect(await uploaded.open()(await uploaded.token())).toBe('unknown');
    const { open, token, warned } = gateway();
    const other = { ...source, pin: { sizeBytes: 100, version: '2' } };
    expect(await open({ openMedia: async () => other })(await token())).toBe('gone');
    const busy = async () => {
      throw new PublishError('TRANSPORT_MEDIA_DISK', { reason: 'EIO: /srv/a.mp4' });
    };
    expect(await open({ openMedia: busy })(await token())).toBe('busy');
    expect(warned).toMatchObject([
      { publishJobId: 'job', code: 'INPUT_MEDIA_CHANGED' },
      { publishJobId: 'job', code: 'TRANSPORT_MEDIA_DISK', reason: 'EIO: /srv/a.mp4' },
    ]);
  });
});
