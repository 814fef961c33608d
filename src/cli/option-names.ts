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
  ...{ state: '--state', code: '--code', waitingFor: '--waiting-for', media: '--media' },
  ...{ createdFrom: '--created-from', createdBefore: '--created-before' },
  ...{ endedFrom: '--ended-from', endedBefore: '--ended-before' },
  ...{ scheduledFrom: '--scheduled-from', scheduledBefore: '--scheduled-before' },
  ...{ publishId: '--publish-id', postId: '--post-id' },
};

/** The option that a field comes from, also that of one value in a list. */
function optionOf(path: string): string | undefined {
  return OPTION_OF_FIELD[path] ?? OPTION_OF_FIELD[path.replace(/\.\d+$/, '')];
}

/** Says what is wrong in terms of what was typed. */
export async function withOptionNames<T>(parse: () => Promise<T>): Promise<T> {
  try {
    return await parse();
  } catch (error) {
    if (!(error instanceof PublishError) || error.details.problems === undefined) throw error;
    const problems = error.details.problems.map(({ path, message }) => ({
      path: optionOf(path) ?? path,
      message:
        path === 'scheduledAt' && error.code === 'INPUT_INVALID' ? `${message}, or ${LOCAL_TIME_FORMS}` : message,
    }));
    throw new PublishError(error.code, { ...error.details, problems }, { cause: error });
  }
}
