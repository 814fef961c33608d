import { expectTypeOf } from 'vitest';
import {
  type AccountSummary,
  ConfigError,
  type ConnectLink,
  type CreatorInfo,
  createPublisher,
  type EventFeed,
  type MediaFacts,
  type PrivacyLevel,
  PublishError,
  type PublishEvent,
  type Publisher,
  type PublishFailure,
  type PublishJob,
  type PublishRequest,
} from '../../src/producers/index.ts';
import { type Simulator, startSimulator } from '../../src/simulator/index.ts';
import { createWorkers, type Workers } from '../../src/workers/index.ts';

/*
 * Good and bad uses of the library. Nothing here runs: what must not compile is marked, and what is marked must not
 * compile. test/architecture/library-uses.test.ts also compiles it against the built package, as an app does.
 */

const media = { type: 'file', path: '/a.mp4' } as const;

export async function onboarding(publisher: Publisher): Promise<void> {
  const link = await publisher.connectLink({
    account: 'acme',
    returnTo: 'https://app.example.com',
    expiresInMs: 60_000,
  });
  expectTypeOf(link).toEqualTypeOf<ConnectLink>();
  // @ts-expect-error a link is for an account
  await publisher.connectLink({ returnTo: 'https://app.example.com' });
  const accounts: readonly AccountSummary[] = await publisher.accounts.list();
  expectTypeOf(accounts).items.not.toHaveProperty('accessToken');
  const { status } = await publisher.accounts.pause('acme');
  expectTypeOf(status).toEqualTypeOf<'active' | 'reauthorization_required' | 'paused'>();
  // @ts-expect-error tokens come with the user that they belong to
  await publisher.accounts.connect({ account: 'acme', accessToken: 'act.example' });
}

export async function enqueueing(publisher: Publisher, form: { privacyLevel?: PrivacyLevel }): Promise<void> {
  await publisher.enqueue({ account: 'acme', mode: 'direct', media, post: { privacyLevel: 'SELF_ONLY' } });
  await publisher.enqueue({ account: 'acme', mode: 'inbox', media });
  await publisher.enqueue({ account: 'acme', mode: 'inbox', media, post: { title: 'Hello' } });
  // @ts-expect-error a direct post needs a post
  await publisher.enqueue({ account: 'acme', mode: 'direct', media });
  // @ts-expect-error … and its privacy level
  await publisher.enqueue({ account: 'acme', mode: 'direct', media, post: { title: 'Hello' } });
  // @ts-expect-error … which may not be left open
  await publisher.enqueue({ account: 'acme', mode: 'direct', media, post: form });
  if (form.privacyLevel !== undefined) {
    const { privacyLevel } = form;
    await publisher.enqueue({ account: 'acme', mode: 'direct', media, post: { ...form, privacyLevel } });
  }
  // @ts-expect-error no such level
  await publisher.enqueue({ account: 'acme', mode: 'direct', media, post: { privacyLevel: 'PRIVATE' } });
  // @ts-expect-error a misspelt field
  await publisher.enqueue({ account: 'acme', mode: 'inbox', media, schedule: '2026-12-01T10:00:00Z' });
  // @ts-expect-error a video at a URL has no path
  await publisher.enqueue({ account: 'acme', mode: 'inbox', media: { type: 'url', path: '/a.mp4' } });
  // @ts-expect-error only the library itself seals
  await publisher.enqueue({ account: 'acme', mode: 'inbox', media, sealed: 'x' });
  await publisher.enqueueBulk([{ request: { account: 'acme', mode: 'inbox', media }, idempotencyKey: 'a' }]);
  // @ts-expect-error bulk is as strict
  await publisher.enqueueBulk([{ request: { account: 'acme', mode: 'direct', media }, idempotencyKey: 'a' }]);
  const mode: 'direct' | 'inbox' = Math.random() < 0.5 ? 'direct' : 'inbox';
  await publisher.enqueue({ account: 'acme', mode, media, post: { privacyLevel: 'SELF_ONLY' } });
}

export async function lookingAt(publisher: Publisher, id: string): Promise<void> {
  const job = await publisher.get(id);
  expectTypeOf(job).toEqualTypeOf<PublishJob | undefined>();
  if (job === undefined) return;
  expectTypeOf(job.request).toEqualTypeOf<PublishRequest>();
  expectTypeOf(job.idempotencyKey).toEqualTypeOf<string | null>();
  // @ts-expect-error what is sealed stays inside
  job.request.sealed;
  // @ts-expect-error a job is read only
  job.state = 'published';
  // What was asked for can be asked for again.
  await publisher.enqueue(job.request);
  // @ts-expect-error no such state
  await publisher.list({ state: 'done' });
}

export async function following(publisher: Publisher): Promise<void> {
  for await (const { event } of publisher.events()) {
    switch (event.type) {
      case 'publish.failed':
        expectTypeOf(event.data.failure).toExtend<PublishFailure>();
        expectTypeOf(event.data.state).toEqualTypeOf<'failed'>();
        break;
      case 'publish.published':
        expectTypeOf(event.data.postIds).toEqualTypeOf<readonly string[]>();
        break;
      case 'account.connected':
      case 'account.paused':
        expectTypeOf(event.data).toEqualTypeOf<{ readonly account: string }>();
        break;
      case 'account.reauthorization_required':
        expectTypeOf(event.data).toEqualTypeOf<{ readonly account: string; readonly reason: string }>();
        // @ts-expect-error an account has no post
        event.data.postIds;
        break;
      default:
        expectTypeOf(event.data.id).toEqualTypeOf<string>();
    }
  }
}

export function isOver(event: PublishEvent): boolean {
  // @ts-expect-error no such type
  if (event.type === 'publish.done') return false;
  return event.type === 'publish.published' || event.type === 'publish.failed';
}

export async function postingPage(publisher: Publisher, creator: CreatorInfo): Promise<void> {
  const [privacyLevel] = creator.privacyLevelOptions;
  if (privacyLevel === undefined) return;
  const post = { privacyLevel, disableComment: creator.commentDisabled, disableDuet: creator.duetDisabled };
  await publisher.enqueue({ account: 'acme', mode: 'direct', media, post });
}

export async function ending(): Promise<void> {
  await using publisher = createPublisher();
  await using feed: EventFeed = publisher.events();
  await using workers: Workers = await createWorkers();
  await using simulator: Simulator = await startSimulator();
  expectTypeOf([feed.cursor, simulator.url]).toEqualTypeOf<string[]>();
  expectTypeOf(workers.readiness).returns.resolves.toHaveProperty('ready');
}

export function telling(error: unknown): string | undefined {
  if (error instanceof ConfigError) return error.problems.map(({ variable }) => variable).join();
  if (error instanceof PublishError && error.code === 'WAIT_TIMED_OUT') return error.advice;
  // @ts-expect-error no such code
  if (error instanceof PublishError && error.code === 'TIMED_OUT') return undefined;
  return undefined;
}

export function watching({ durationSeconds }: MediaFacts): number {
  return durationSeconds ?? 0;
}
