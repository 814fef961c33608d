import { resolve } from 'node:path';
import { type Config, loadConfig } from '../../config/load-config.ts';
import { headline } from '../../core/headline.ts';
import { filesOf } from '../../core/media-route.ts';
import type { MediaKind } from '../../core/ports.ts';
import { PublishError } from '../../core/publish-error.ts';
import { type NewRequest, parseNewRequest } from '../../core/publish-request.ts';
import { openFileSource } from '../../media/file-source.ts';
import type { EnqueuedJob, EnqueueOptions } from '../../producers/publisher.ts';
import type { CommandContext } from '../cli-io.ts';
import { EXIT_CODES, type ExitCode } from '../exit-codes.ts';
import { privacyLevelOf, refuseIgnoredOptions, withOptionNames } from '../option-names.ts';
import { parseTime, whenText } from '../parse-time.ts';
import { preflightText } from '../preflight-text.ts';
import { withClient } from '../with-client.ts';
import { tellPause } from './jobs.ts';
import { waitUntilEnd, watchUntilEnd } from './watch.ts';

export interface PublishCommandOptions {
  readonly account?: string;
  readonly mode: 'direct' | 'inbox';
  readonly title?: string;
  readonly privacy?: string;
  readonly at?: string;
  readonly notAfter?: string;
  readonly idempotencyKey?: string;
  readonly pull?: boolean;
  readonly fallbackUpload?: boolean;
  readonly photos?: boolean;
  readonly cover?: number;
  readonly description?: string;
  readonly autoAddMusic?: boolean;
  readonly callbackUrl?: string;
  readonly onDuplicate?: 'allow' | 'warn' | 'refuse';
  readonly priority?: number;
  readonly disableComment?: boolean;
  readonly disableDuet?: boolean;
  readonly disableStitch?: boolean;
  readonly brandContent?: boolean;
  readonly brandOrganic?: boolean;
  readonly aiGenerated?: boolean;
  readonly coverMs?: number;
  readonly metadata?: Record<string, unknown>;
  readonly dryRun?: boolean;
  readonly watch?: boolean;
  readonly wait?: boolean;
}

/** `publish`: checks everything that can be checked here, enqueues, and watches or waits if asked to. */
export async function publish(
  targets: readonly string[],
  options: PublishCommandOptions,
  context: CommandContext,
): Promise<ExitCode> {
  const config = loadConfig(context.io.env);
  const request = await withOptionNames(async () => {
    refuseIgnoredOptions(options);
    return parseNewRequest(buildRequest(targets, options));
  });
  if (options.dryRun === true) return await dryRun(request, options, context);
  const kind = request.media.type === 'photos' ? 'photo' : 'video';
  for (const path of filesOf(request.media)) await refuseWrongFile(path, kind, config);
  return await withClient(context, async (app) => {
    const account = await app.vault.resolve(request.account);
    const job = await withOptionNames(() => app.publisher.enqueue({ ...request, account }, keyOf(options)));
    const begin = `job ${job.id}${whenText(job, ' starts at ')}`;
    if (options.watch === true) return await watchUntilEnd(job.id, app.publisher, context, begin);
    if (options.wait === true) return await waitUntilEnd(job.id, app, context, begin);
    context.output.answer(job, enqueuedText(job));
    await tellPause(app, context.output);
  });
}

/** Reports a wrong file at once. An error that may pass is left to the worker. */
async function refuseWrongFile(path: string, kind: MediaKind, { mediaRoots: roots }: Config): Promise<void> {
  try {
    const source = await openFileSource(path, { roots, kind });
    await source.close();
  } catch (error) {
    if (!(error instanceof PublishError) || error.row.verdict !== 'retry') throw error;
  }
}

/** Says whether a request would be refused, and enqueues nothing. */
async function dryRun(request: NewRequest, options: PublishCommandOptions, context: CommandContext): Promise<ExitCode> {
  return await withClient(context, async (app) => {
    // As a real run would; one that is not known is told in the report.
    const account = await app.accountNames.resolve(request.account);
    const report = await app.publisher.preflight({ ...request, account }, keyOf(options));
    context.output.answer(report, preflightText(report));
    return report.ok ? EXIT_CODES.success : EXIT_CODES.publishFailed;
  });
}

function keyOf({ idempotencyKey }: PublishCommandOptions): EnqueueOptions {
  return idempotencyKey === undefined ? {} : { idempotencyKey };
}

function enqueuedText(job: EnqueuedJob): string {
  if (!job.created) return `This idempotency key was already used for job ${job.id}\n${headline(job)}`;
  return `${headline(job)}${whenText(job)}\njob ${job.id}\nto follow it: tiktok-publisher watch ${job.id}`;
}

function buildRequest(targets: readonly string[], options: PublishCommandOptions): Record<string, unknown> {
  const { account, mode, at, notAfter, priority, metadata, callbackUrl, onDuplicate } = options;
  const post = withoutUndefined({
    title: options.title,
    description: options.description,
    autoAddMusic: options.autoAddMusic,
    privacyLevel: options.privacy && privacyLevelOf(options.privacy),
    disableComment: options.disableComment,
    disableDuet: options.disableDuet,
    disableStitch: options.disableStitch,
    brandContent: options.brandContent,
    brandOrganic: options.brandOrganic,
    aiGenerated: options.aiGenerated,
    coverTimestampMs: options.coverMs,
  });
  const media = mediaOf(targets, options);
  const postPart = Object.keys(post).length === 0 ? {} : { post };
  return {
    ...withoutUndefined({
      account,
      mode,
      scheduledAt: at && parseTime(at, Date.now()),
      notAfter: notAfter && parseTime(notAfter, Date.now()),
      priority,
      callbackUrl,
      onDuplicate,
      metadata,
    }),
    media,
    ...postPart,
  };
}

function mediaOf(targets: readonly string[], options: PublishCommandOptions): Record<string, unknown> {
  if (options.photos === true) {
    const items = targets.map(sourceOf);
    const photos = items.every(({ type }) => type === 'url')
      ? { urls: targets }
      : { items: items.map((item) => (item.type === 'url' ? { ...item, type: 'pull' } : item)) };
    return withoutUndefined({ type: 'photos', ...photos, coverIndex: options.cover });
  }
  const [target = '', ...others] = targets;
  if (others.length > 0) {
    const message = `expected one video, got ${targets.length}: use --photos for several photos`;
    throw new PublishError('INPUT_INVALID', { problems: [{ path: 'media', message }] });
  }
  const source = sourceOf(target);
  if (options.pull !== true) return source;
  const fallback = options.fallbackUpload === true ? 'upload' : undefined;
  return withoutUndefined(
    source.type === 'url' ? { ...source, type: 'pull', fallback } : { ...source, via: 'pull', fallback },
  );
}

function sourceOf(target: string): Record<string, unknown> {
  if (/^s3:\/\//i.test(target)) return objectOf(target);
  if (/^file:\/\//i.test(target)) return { type: 'file', path: target };
  const isUrl = /^[a-z][a-z0-9+.-]*:\/\//i.test(target);
  return isUrl ? { type: 'url', url: target } : { type: 'file', path: resolve(target) };
}

/** `s3://bucket/key`; the key may hold whatever S3 lets it hold, so it is no URL to be parsed. */
function objectOf(target: string): Record<string, unknown> {
  const [, bucket, key] = /^s3:\/\/([^/]*)\/?(.*)$/is.exec(target) ?? [];
  return { type: 's3', bucket, key };
}

function withoutUndefined(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
