import { type InputProblem, PublishError } from '../core/publish-error.ts';

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
