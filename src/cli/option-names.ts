import { PublishError } from '../core/publish-error.ts';
import { LOCAL_TIME_FORMS } from './parse-time.ts';

/** A privacy level as people type it: `self-only`. */
export function privacyLevelOf(text: string): string {
  return text.toUpperCase().replaceAll('-', '_');
}

const OPTION_OF_FIELD: Readonly<Record<string, string>> = {
  account: '--account',
  mode: '--mode',
  'media.url': 'the URL',
  'media.urls': 'the URLs of --photos',
  'media.coverIndex': '--cover',
  'media.bucket': 's3://bucket/key',
  'media.key': 's3://bucket/key',
  'post.description': '--description',
  callbackUrl: '--callback-url',
  onDuplicate: '--on-duplicate',
  'media.path': 'the file',
  'post.title': '--title',
  'post.privacyLevel': '--privacy',
  'post.coverTimestampMs': '--cover-ms',
  'post.disableComment': '--disable-comment',
  'post.disableDuet': '--disable-duet',
  'post.disableStitch': '--disable-stitch',
  'post.brandContent': '--brand-content',
  'post.brandOrganic': '--brand-organic',
  'post.aiGenerated': '--ai-generated',
  'post.autoAddMusic': '--auto-add-music',
  idempotencyKey: '--idempotency-key',
  scheduledAt: '--at',
  priority: '--priority',
  metadata: '--metadata',
  returnTo: '--return-to',
  expiresInMs: '--expires-in',
};

/** What advice says to programs, and its option. */
const OPTION_OF_JSON: readonly (readonly [json: string, option: string])[] = [
  ['"onDuplicate": "allow"', '--on-duplicate allow'],
  ['add "fallback": "upload" to the pull', 'add --fallback-upload'],
  ['enqueue it with media.type "url"', 'enqueue it without --pull'],
  ['with media.type "pull" or the "urls" of photos', 'with --pull or --photos'],
];

/** Advice in terms of what can be typed. */
export function asTyped(advice: string): string {
  return OPTION_OF_JSON.reduce((text, [json, option]) => text.replaceAll(json, option), advice);
}

/** A field of a request as it was typed: `--title`, or `photo 2` of several. */
export function typedName(field: string): string {
  const [, index] = /^media\.(?:items|urls)\.(\d+)/.exec(field) ?? [];
  return OPTION_OF_FIELD[field] ?? (index === undefined ? field : `photo ${Number(index) + 1}`);
}

/** Says what is wrong in terms of what was typed. */
export async function withOptionNames<T>(parse: () => Promise<T>): Promise<T> {
  try {
    return await parse();
  } catch (error) {
    if (!(error instanceof PublishError) || error.details.problems === undefined) throw error;
    const problems = error.details.problems.map(({ path, message }) => ({
      path: typedName(path),
      message:
        path === 'scheduledAt' && error.code === 'INPUT_INVALID' ? `${message}, or ${LOCAL_TIME_FORMS}` : message,
    }));
    throw new PublishError(error.code, { ...error.details, problems }, { cause: error });
  }
}
