import { expect, it, onTestFinished } from 'vitest';
import { deliverEvent } from '../../src/callbacks/delivery.ts';
import { createCallbackSigner } from '../../src/callbacks/signer.ts';
import { PublishError } from '../../src/core/publish-error.ts';
import { openUrlSource } from '../../src/media/url-source.ts';
import { parseAllowList } from '../../src/outbound/allow-list.ts';
import { createOutboundAgent } from '../../src/outbound/outbound-agent.ts';
import { createTikTokClient } from '../../src/tiktok/index.ts';
import { fuzz } from '../support/fuzz-run.ts';
import { type HostileAnswer, hostileAnswers, startHostileServer } from '../support/hostile-answers.ts';

/** Longest times of all that waits here (ms). */
const WAIT_MS = 150;
const COUNT = { short: 300, long: 20_000 };
const TIMEOUT = { timeout: 3_600_000 };
const ENDED = 'ended';

/**
 * Asks a server that gives hostile answers, each once. Whatever it says, the call ends: with a value, or with an error of
 * ours that holds no secret of the request.
 */
async function fuzzAnswers(
  what: string,
  open: (server: {
    readonly url: string;
    readonly host: string;
  }) => (secret: string, number: number) => Promise<unknown>,
): Promise<void> {
  const answers = new Map<number, HostileAnswer>();
  const server = await startHostileServer(answers);
  onTestFinished(() => server.close());
  const ask = open(server);
  let count = 0;
  await fuzz({
    what,
    count: COUNT,
    inputs: hostileAnswers,
    parallel: 16,
    async attempt(answer) {
      count += 1;
      const number = count;
      answers.set(number, answer);
      const outcome = await ask(`fuzz-${number}-s3cret`, number).then(
        () => ENDED,
        (error: unknown) => error,
      );
      answers.delete(number);
      if (outcome === ENDED) return;
      const shown = `${answer.head.slice(0, 300)}\n${answer.body.slice(0, 300)}\n${answer.delivery} ${answer.part}`;
      expect(outcome, shown).toBeInstanceOf(PublishError);
      const { message, details, code } = outcome as PublishError;
      expect(code, shown).not.toMatch(/^INTERNAL/);
      expect(JSON.stringify([message, details]), shown).not.toContain('s3cret');
      expect(message.length, shown).toBeLessThan(5_000);
    },
  });
}

it('takes whatever TikTok answers', TIMEOUT, async () => {
  await fuzzAnswers('answers of TikTok', ({ url }) => {
    const client = createTikTokClient({
      apiBaseUrl: url,
      timeouts: { connectMs: WAIT_MS, answerMs: WAIT_MS, stallMs: WAIT_MS },
      briefRetry: { firstDelayMs: 1, totalMs: 1 },
    });
    onTestFinished(() => client.close());
    const plan = { totalBytes: 100, chunkSizeBytes: 100, chunkCount: 1 };
    const post = { privacyLevel: 'SELF_ONLY' } as const;
    const app = { clientKey: 'key', clientSecret: 'client' };
    return async (secret, number) => {
      const context = { accessToken: secret };
      switch (number % 7) {
        case 0:
          return await client.initDirectVideo({ post, source: { kind: 'file_upload', plan: plan as never } }, context);
        case 1:
          return await client.initInboxVideo({ source: { kind: 'pull', url: 'https://example.com/a.mp4' } }, context);
        case 2:
          return await client.fetchStatus({ publishId: 'v_pub~1' }, context);
        case 3:
          return await client.queryCreatorInfo(context);
        case 4:
          return await client.refreshToken({ ...app, refreshToken: secret });
        case 5:
          return await client.cancelPublish({ publishId: 'v_pub~1' }, context);
        default:
          return await client.putChunk({
            ...{ uploadUrl: `${url}/upload?token=${secret}`, totalBytes: 100, contentType: 'video/mp4' },
            chunk: { startByte: 0, endByteExclusive: 100 },
            body: async function* body() {
              yield Buffer.alloc(100);
            },
          });
      }
    };
  });
});

it('takes whatever a media host answers', TIMEOUT, async () => {
  await fuzzAnswers('answers of media hosts', ({ url, host }) => {
    const allowed = parseAllowList([host]);
    const agent = createOutboundAgent({ allowed, stallMs: WAIT_MS });
    onTestFinished(() => agent.destroy());
    return async (secret, number) => {
      const options = { outbound: { agent, allowed }, stallMs: WAIT_MS } as const;
      const kind = number % 2 === 0 ? 'video' : 'photo';
      const source = await openUrlSource(`${url}/a.mp4?token=${secret}`, { ...options, kind });
      try {
        for await (const _ of source.read(0, Math.min(source.pin.sizeBytes, 100_000)));
        await source.verifyUnchanged();
      } finally {
        await source.close();
      }
    };
  });
});

it('takes whatever a receiver of callbacks answers', TIMEOUT, async () => {
  await fuzzAnswers('answers of receivers', ({ url, host }) => {
    const allowed = parseAllowList([host]);
    const agent = createOutboundAgent({ allowed, stallMs: WAIT_MS });
    onTestFinished(() => agent.destroy());
    const signer = createCallbackSigner([`whsec_${Buffer.alloc(32, 1).toString('base64')}`]);
    const deps = { agent, allowed, signer, clock: Date, timeoutMs: WAIT_MS, contentType: 'application/json' };
    const event = { id: 'e-1', type: 'publish.queued' } as Parameters<typeof deliverEvent>[0];
    return async (secret) => {
      const outcome = await deliverEvent(event, `${url}/hook?token=${secret}`, deps, new AbortController().signal);
      if (outcome.error !== undefined) throw outcome.error;
    };
  });
});
