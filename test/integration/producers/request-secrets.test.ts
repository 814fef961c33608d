import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPublisherFromConfig } from '../../../src/app/create-publisher.ts';
import type { PublishRequest } from '../../../src/core/publish-request.ts';
import { createKeys } from '../../../src/redis/keys.ts';
import { thumbprintOf } from '../../../src/sealing/jwe.ts';
import { endOldForm, publishSealingKey } from '../../../src/sealing/published-key.ts';
import { createRequestSecrets } from '../../../src/sealing/request-box.ts';
import { eventually } from '../../support/eventually.ts';
import { type Pipeline, startPipeline } from '../../support/pipeline.ts';
import { freshPrefix, testRedisUrl } from '../../support/redis.ts';
import { rejection } from '../../support/rejection.ts';
import { searchFor } from '../../support/secret-search.ts';
import { redisEvidence } from '../../support/stored-evidence.ts';

let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await startPipeline({ workers: false, simulator: { verifiedUrlPrefixes: ['videos.example.com'] } });
  await publishSealingKey(pipeline.redis, pipeline.keys, pipeline.requestSecrets.publicKeys);
});
afterAll(async () => {
  await pipeline.close();
});

/** A publisher of an app that has no secret of the service. */
function strangersPublisher(queuePrefix: string) {
  const redis = { kind: 'url', url: testRedisUrl() } as const;
  return createPublisherFromConfig({ redis, dataDir: '', cacheDir: '', queuePrefix });
}

const newSecret = () => randomBytes(24).toString('base64url');
const inbox = { account: 'acme', mode: 'inbox' } as const;

async function leaks(secret: string) {
  const evidence = await redisEvidence(pipeline.redis, pipeline.prefix);
  expect(evidence.length).toBeGreaterThan(0);
  return searchFor([{ name: 'query', value: secret }])(evidence);
}

describe('the public key that a publisher seals to', () => {
  const request = { ...inbox, media: { type: 'url', url: 'https://videos.example.com/a.mp4?sig=s3cret' } } as const;
  const pinned = (queuePrefix: string, ...sealingKeyPins: string[]) =>
    createPublisherFromConfig({
      redis: { kind: 'url', url: testRedisUrl() },
      ...{ dataDir: '', cacheDir: '', queuePrefix, sealingKeyPins },
    });

  it('is refused where it is none of those that SEALING_KEY_PINS names, in either form', async () => {
    const { redis } = pipeline;
    const keys = createKeys(freshPrefix());
    const mine = createRequestSecrets([randomBytes(32)]).publicKeys;
    const attackers = createRequestSecrets([randomBytes(32)]).publicKeys;
    const publisher = pinned(keys.prefix, await thumbprintOf(mine.jwk));
    await publishSealingKey(redis, keys, mine);
    const { request: stored } = await publisher.enqueue(request);
    expect(JSON.stringify(stored)).not.toContain('s3cret');
    await redis.set(keys.sealingKeyBefore02, attackers.before02);
    const { id } = await publisher.enqueue(request);
    expect(await redis.hget(keys.job(id), 'request')).not.toContain('x1.');
    await publishSealingKey(redis, keys, attackers);
    const refused = await rejection(publisher.enqueue(request));
    expect(refused).toMatchObject({ code: 'CONFIG_INVALID', details: { problems: [{ path: 'SEALING_KEY_PINS' }] } });
    await publisher.close();
  });
});

describe('a secret in a URL of a request', () => {
  it.each<[string, (secret: string) => PublishRequest]>([
    [
      'a url',
      (secret) => ({ ...inbox, media: { type: 'url', url: `https://videos.example.com/a.mp4?sig=${secret}` } }),
    ],
    ['a password', (secret) => ({ ...inbox, media: { type: 'url', url: `https://u:${secret}@videos.example.com/a` } })],
    ['a pull', (secret) => ({ ...inbox, media: { type: 'pull', url: `https://videos.example.com/a.mp4?${secret}` } })],
    [
      'photos',
      (secret) => ({ ...inbox, media: { type: 'photos', urls: [`https://videos.example.com/1.jpg?${secret}`] } }),
    ],
    [
      'a callback',
      (secret) => ({
        ...inbox,
        media: { type: 'file', path: '/a.mp4' },
        callbackUrl: `https://app.example.com/hook?token=${secret}`,
      }),
    ],
  ])('of %s is sealed before it reaches Redis, and the same request is still recognised', async (_, requestWith) => {
    const publisher = strangersPublisher(pipeline.prefix);
    const secret = newSecret();
    const idempotencyKey = newSecret();
    const job = await publisher.enqueue(requestWith(secret), { idempotencyKey });
    expect(await leaks(secret)).toEqual([]);
    expect(await publisher.enqueue(requestWith(secret), { idempotencyKey })).toMatchObject({
      id: job.id,
      created: false,
    });
    const other = await rejection(publisher.enqueue(requestWith(newSecret()), { idempotencyKey }));
    expect(other.code).toBe('IDEMPOTENCY_CONFLICT');
    await publisher.close();
  });

  it('that came by plain BullMQ is sealed when a worker first sees it, and TikTok gets it whole', async () => {
    const secret = newSecret();
    const url = `https://videos.example.com/a.mp4?sig=${secret}`;
    const id = `plain-${randomBytes(4).toString('hex')}`;
    await pipeline.queues.publish.add('publish', { ...inbox, media: { type: 'pull', url } }, { jobId: id });
    expect(await leaks(secret)).not.toEqual([]);
    const workers = await pipeline.startWorkers();
    await eventually(async () => (await pipeline.publisher.get(id))?.state === 'in_inbox');
    await workers.close({ timeoutMs: 1_000 });
    expect(await leaks(secret)).toEqual([]);
    expect(pipeline.simulator.journal.publishes()).toContainEqual(expect.objectContaining({ source: 'PULL_FROM_URL' }));
  });

  it('is refused while no service has published its key: nothing is stored', async () => {
    const publisher = strangersPublisher(freshPrefix());
    const request = { ...inbox, media: { type: 'url', url: 'https://videos.example.com/a.mp4?sig=1' } } as const;
    expect((await rejection(publisher.enqueue(request))).code).toBe('CONFIG_SEALING_KEY_MISSING');
    expect((await publisher.list()).jobs).toEqual([]);
    await publisher.close();
  });

  it('is sealed as a service of a version before 0.2.0 reads it, as long as one may run', async () => {
    const { redis, keys, requestSecrets } = pipeline;
    const publisher = strangersPublisher(pipeline.prefix);
    const enqueue = async () => {
      const media = { type: 'url', url: `https://videos.example.com/a.mp4?sig=${newSecret()}` } as const;
      const { id } = await publisher.enqueue({ ...inbox, media });
      const request = JSON.parse((await redis.hget(keys.job(id), 'request')) ?? '{}');
      return { media, sealed: request.sealed, opened: await requestSecrets.open(request, id) };
    };
    await redis.set(keys.sealingKeyBefore02, requestSecrets.publicKeys.before02);
    const before = await enqueue();
    expect(before.sealed).toMatch(/^x1\./);
    expect(before.opened.media).toEqual(before.media);
    await endOldForm(redis, keys, requestSecrets.publicKeys);
    const after = await enqueue();
    expect(after.sealed).toMatch(/^eyJ/);
    expect(after.opened.media).toEqual(after.media);
    await publisher.close();
  });
});
