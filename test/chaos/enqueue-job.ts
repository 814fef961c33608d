import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PublishRequest } from '../../src/core/publish-request.ts';
import { eventually } from '../support/eventually.ts';
import { jpegOf } from '../support/photos.ts';
import { makeVideo, sha256OfFile } from '../support/videos.ts';
import type { PlannedJob } from './round-plan.ts';
import { DEAD_PREFIX, PULL_PREFIX, type Stage } from './stage.ts';

/** How long after the enqueue things are still done to a job. */
const WATCHED_MS = 90_000;
/** Longer than any silence that a producer has to find out about, and any fault. */
const ENQUEUE_DEADLINE_MS = 180_000;
const PHOTOS = 3;

/** A job that is ready to be enqueued. */
export interface PreparedJob {
  readonly name: string;
  readonly round: number;
  readonly plan: PlannedJob;
  /** Of a job that shares an account: that of the other one. */
  readonly account: string;
  readonly openId: string;
  readonly path: string | undefined;
  readonly sha256: string | undefined;
}

/** A job that was accepted. */
export interface EnqueuedJob extends PreparedJob {
  readonly id: string;
}

/** Makes the video, the account, and the faults that wait for it at TikTok. */
export async function prepareJob(
  stage: Stage,
  plan: PlannedJob,
  { round, name, shared }: { readonly round: number; readonly name: string; readonly shared?: PreparedJob | undefined },
): Promise<PreparedJob> {
  const { simulator } = stage;
  const path = await makeMedia(stage.folder, plan, name);
  const sha256 = path === undefined ? undefined : await sha256OfFile(path);
  const { account, openId } = shared ?? { account: name, openId: await stage.addAccount(name, plan.profile) };
  for (const { when, ...fault } of plan.faults) simulator.faults.add({ ...fault, when: { ...when, openId } });
  const { expireTokenAt } = plan;
  if (expireTokenAt !== undefined) {
    once(
      stage,
      openId,
      (endpoint) => endpoint === expireTokenAt,
      () => void simulator.expireAccessToken(openId),
    );
  }
  return { name, round, plan, account, openId, path, sha256 };
}

/** What TikTok or the workers read; undefined where TikTok only pretends to. */
async function makeMedia(folder: string, plan: PlannedJob, name: string): Promise<string | undefined> {
  if (plan.video !== undefined) return plan.video;
  if (plan.source === 'file' || (plan.source === 'pull' && plan.pulledFrom === 'site')) {
    return await makeVideo(folder, plan.sizeBytes, `${name}.mp4`);
  }
  if (plan.source !== 'photos' || plan.pulledFrom !== 'site') return undefined;
  const path = join(folder, `${name}.jpg`);
  await writeFile(path, jpegOf(1_080, 1_080, plan.sizeBytes));
  return path;
}

/**
 * Enqueues it: with a key until it is accepted, as a caller would, whose first process may die of it; without one once.
 * @returns the job's id, or undefined if it was refused
 */
export async function accept(stage: Stage, job: PreparedJob): Promise<string | undefined> {
  const { name, plan, openId } = job;
  const request = requestOf(stage, job);
  const id = plan.hasKey
    ? await acceptAtLast(stage, request, name, plan.enqueuer)
    : await stage.publisher.enqueue(request).then(
        (accepted) => accepted.id,
        () => undefined,
      );
  const { cancelAt } = plan;
  if (id !== undefined && cancelAt !== undefined) {
    once(
      stage,
      openId,
      (endpoint) => endpoint.endsWith(cancelAt),
      async () => {
        // It may be too late for that, or Redis be away; either is an answer.
        await stage.publisher.cancel(id).catch(() => undefined);
      },
    );
  }
  return id;
}

async function acceptAtLast(
  { publisher, enqueueAndDie }: Stage,
  request: PublishRequest,
  idempotencyKey: string,
  killed: PlannedJob['enqueuer'],
): Promise<string | undefined> {
  if (killed !== undefined) await enqueueAndDie({ request, idempotencyKey, killed });
  const asked = async () => await publisher.enqueue(request, { idempotencyKey });
  const job = await eventually(asked, { timeoutMs: ENQUEUE_DEADLINE_MS, intervalMs: 100 }).catch(() => undefined);
  return job?.id;
}

/** Does something when TikTok hears of an account at an endpoint for the first time. */
function once(
  { simulator }: Stage,
  openId: string,
  isWanted: (endpoint: string) => boolean,
  act: () => void | Promise<void>,
): void {
  simulator.journal
    .waitFor((entry) => entry.openId === openId && isWanted(entry.endpoint), { timeoutMs: WATCHED_MS })
    // A job that never gets there needs nothing.
    .then(act, () => undefined);
}

function requestOf({ web }: Stage, { plan, name, account, path }: PreparedJob): PublishRequest {
  const { mode, source, via, pulledFrom } = plan;
  const post = { title: name, ...(plan.post ?? { privacyLevel: 'PUBLIC_TO_EVERYONE' }) } as const;
  const rest = { account, ...(mode === 'direct' ? { mode, post } : { mode }) };
  const prefix = pulledFrom === 'nowhere' ? DEAD_PREFIX : PULL_PREFIX;
  if (source === 'photos' && path !== undefined) {
    return { ...rest, media: { type: 'photos', items: [{ type: 'file', path }] } };
  }
  if (source === 'photos') {
    const urls = Array.from({ length: PHOTOS }, (_, index) => `${prefix}${name}-${index}.jpg`);
    return { ...rest, media: { type: 'photos', urls } };
  }
  if (path === undefined) return { ...rest, media: { type: 'pull', url: `${prefix}${name}.mp4` } };
  if (source === 'pull') return { ...rest, media: { type: 'file', path, via: 'pull' } };
  return { ...rest, media: via === 'web' ? { type: 'url', url: web.url(path) } : { type: 'file', path } };
}
