import { type InputProblem, PublishError } from '../core/publish-error.ts';
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
  notAfter: '--not-after',
  priority: '--priority',
  metadata: '--metadata',
  ...{ state: '--state', code: '--code', waitingFor: '--waiting-for', media: '--media' },
  ...{ createdFrom: '--created-from', createdBefore: '--created-before' },
  ...{ endedFrom: '--ended-from', endedBefore: '--ended-before' },
  ...{ scheduledFrom: '--scheduled-from', scheduledBefore: '--scheduled-before' },
  ...{ publishId: '--publish-id', postId: '--post-id' },
  shiftMs: '--shift',
  ratePerSecond: '--rate',
  filter: 'filter',
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

/** A field of a request or filter as it was typed: `--title`, or `photo 2` of several. */
export function typedName(field: string): string {
  const [, index] = /^media\.(?:items|urls)\.(\d+)/.exec(field) ?? [];
  if (index !== undefined) return `photo ${Number(index) + 1}`;
  // One value of a list.
  const [list = '', at, ...more] = field.split('.');
  const isInList = more.length === 0 && Number.isInteger(Number(at ?? Number.NaN));
  return OPTION_OF_FIELD[isInList ? list : field] ?? field;
}

/** Says what is wrong in terms of what was typed. */
export async function withOptionNames<T>(parse: () => Promise<T>): Promise<T> {
  try {
    return await parse();
  } catch (error) {
    if (!(error instanceof PublishError) || error.details.problems === undefined) throw error;
    const problems = error.details.problems.map(({ path, message }) => ({
      path: typedName(path),
      message: message.startsWith('expected an ISO 8601 time') ? `${message}, or ${LOCAL_TIME_FORMS}` : message,
    }));
    throw new PublishError(error.code, { ...error.details, problems }, { cause: error });
  }
}

/** What decides which other options have a meaning. */
interface Deciding {
  readonly mode?: 'direct' | 'inbox';
  readonly photos?: boolean;
  readonly pull?: boolean;
}

const ONLY_WITH_PHOTOS: readonly string[] = ['cover', 'description', 'autoAddMusic'];
const NOT_WITH_PHOTOS: readonly string[] = ['pull', 'fallbackUpload'];
/** The creator chooses these in the app; of a draft of photos, TikTok takes the texts. */
const NOT_IN_DRAFTS: readonly string[] = [
  ...['privacy', 'coverMs', 'autoAddMusic', 'disableComment', 'disableDuet', 'disableStitch'],
  ...['brandContent', 'brandOrganic', 'aiGenerated'],
];

/** Refuses options of `publish` that would change nothing. @throws PublishError `INPUT_INVALID` */
export function refuseIgnoredOptions({ mode, photos = false, pull = false, ...options }: Deciding): void {
  const given = Object.entries({ ...(pull && { pull }), ...options }).flatMap(([name, value]) =>
    value === undefined ? [] : [name],
  );
  const problems = given.flatMap((name): InputProblem[] => {
    const message = whyIgnored(name, { mode, photos, pull });
    return message === undefined ? [] : [{ path: optionName(name), message }];
  });
  if (problems.length > 0) throw new PublishError('INPUT_INVALID', { problems });
}

function whyIgnored(
  name: string,
  { mode, photos, pull }: { mode: Deciding['mode']; photos: boolean; pull: boolean },
): string | undefined {
  const isText = name === 'title' && !photos;
  if (mode === 'inbox' && (isText || NOT_IN_DRAFTS.includes(name)))
    return 'not used with --mode inbox, in which the creator chooses it in the TikTok app: remove it';
  if (!photos && ONLY_WITH_PHOTOS.includes(name)) return 'only used with --photos: add that, or remove it';
  if (photos && NOT_WITH_PHOTOS.includes(name))
    return 'not used with --photos, which TikTok downloads anyway: remove it';
  if (!pull && name === 'fallbackUpload') return 'only used with --pull: add that, or remove it';
  return undefined;
}

/** `coverMs` as it is typed: `--cover-ms`. */
function optionName(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
