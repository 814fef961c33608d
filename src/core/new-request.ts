import type { PRIVACY_LEVELS } from './post-limits.ts';

/**
 * Who may see a post. TikTok offers each account some of them (`publisher.creator`). Of an app that it has not audited it
 * takes `SELF_ONLY` alone, whatever it offers.
 */
export type PrivacyLevel = (typeof PRIVACY_LEVELS)[number];

/** Publish at once (`direct`), or send a draft to the creator's inbox (`inbox`). */
export type PublishMode = 'direct' | 'inbox';

/** Settings of the post. In mode `inbox` the creator chooses them again in the TikTok app. */
export interface PostSettings {
  /**
   * The caption with its hashtags and mentions, each of which ends at a space or a line break; at most 2,200 UTF-16 units,
   * for photos 90.
   */
  readonly title?: string | undefined;
  /** Photos only: the long description; at most 4,000 UTF-16 units. */
  readonly description?: string | undefined;
  /** Who may see the post; there is no default, because the creator must choose. Required for `direct`. */
  readonly privacyLevel?: PrivacyLevel | undefined;
  /** Videos only: nobody may make a duet with it. By default as the creator has set it. */
  readonly disableDuet?: boolean | undefined;
  /** Videos only: nobody may stitch it. By default as the creator has set it. */
  readonly disableStitch?: boolean | undefined;
  /** Nobody may comment on it. By default as the creator has set it. */
  readonly disableComment?: boolean | undefined;
  /** Videos only: the frame that becomes the cover, in whole milliseconds from the start, 0 or more. */
  readonly coverTimestampMs?: number | undefined;
  /** Declares a paid partnership that promotes a third party; such a post can't be `SELF_ONLY`. */
  readonly brandContent?: boolean | undefined;
  /** Declares a promotion of the creator's own business. */
  readonly brandOrganic?: boolean | undefined;
  /** Photos only: TikTok adds music. */
  readonly autoAddMusic?: boolean | undefined;
  /** Declares AI-generated content, which TikTok then labels. */
  readonly aiGenerated?: boolean | undefined;
}

/** Settings of a direct post. */
export interface DirectPostSettings extends PostSettings {
  /** Who may see the post: one of `privacyLevelOptions` of `publisher.creator(account)`. */
  readonly privacyLevel: PrivacyLevel;
}

/** How the bytes of a video that we read come to TikTok. */
interface VideoRoute {
  /**
   * `pull`: TikTok downloads the video from the web server of the service, below `PUBLIC_BASE_URL`, which reads it from its
   * source. By default the workers upload it.
   */
  readonly via?: 'pull' | undefined;
  /** With `via: 'pull'`: when TikTok's download has definitely failed, the workers upload the video. By default the job fails. */
  readonly fallback?: 'upload' | undefined;
}

/** A file on a disk that the workers read. */
interface FileSource {
  /** A file on a disk. */
  readonly type: 'file';
  /** Path on the workers' machine, below `MEDIA_ROOTS` if that is set; at least 1 character. */
  readonly path: string;
}

/** A file on the web, which the workers read by range while they upload it. */
interface UrlSource {
  /** A URL that the workers read. */
  readonly type: 'url';
  /** `http://` or `https://`, at most 8,192 characters. User, password and query are stored encrypted and never shown. */
  readonly url: string;
}

/** An object in storage for which the workers have credentials. */
interface S3Source {
  /** An object in S3-compatible storage. */
  readonly type: 's3';
  /** Name of the bucket; 1 to 255 characters. */
  readonly bucket: string;
  /** Key of the object; 1 to 1,024 bytes of UTF-8. */
  readonly key: string;
  /** Version of the object, 1 to 1,024 characters; by default the newest one when the job starts. */
  readonly versionId?: string | undefined;
}

/** An MP4, MOV or WebM file on a disk. */
export interface FileMedia extends FileSource, VideoRoute {}

/** A video on the web. */
export interface UrlMedia extends UrlSource, VideoRoute {}

/** A video in object storage. */
export interface S3Media extends S3Source, VideoRoute {}

/** A URL that TikTok downloads itself. */
interface PullSource {
  /** A URL that TikTok downloads. */
  readonly type: 'pull';
  /** `https://`, on a domain or URL prefix verified for your TikTok app; at most 8,192 characters. */
  readonly url: string;
}

/** A video that TikTok downloads itself. */
export interface PullMedia extends PullSource {
  /** What to do when TikTok's download has definitely failed: the workers fetch the video and upload it. By default the job fails. */
  readonly fallback?: 'upload' | undefined;
}

/**
 * Where one photo is, a JPEG or WebP image. TikTok downloads files, objects and `url`s from the web server of the service,
 * below `PUBLIC_BASE_URL`, and a `pull` directly.
 */
export type PhotoItem = FileSource | UrlSource | S3Source | PullSource;

/** Photos, all of which TikTok downloads: by their own URLs (`urls`), or from different places (`items`). */
export interface PhotosMedia {
  /** Photos that TikTok downloads. */
  readonly type: 'photos';
  /** 1 to 35 URLs of JPEG or WebP images, `https://`, on verified domains; at most 8,192 characters each. */
  readonly urls?: readonly string[] | undefined;
  /** In place of `urls`: 1 to 35 photos on disks, in object storage or on the web. */
  readonly items?: readonly PhotoItem[] | undefined;
  /** Which photo is the cover, from 0; by default the first. */
  readonly coverIndex?: number | undefined;
}

/** Where the video or the photos come from. */
export type Media = FileMedia | UrlMedia | S3Media | PullMedia | PhotosMedia;

interface AnyRequest {
  /** Version of this format; 1 by default. */
  readonly version?: 1 | undefined;
  /** Name of a connected account, or its TikTok `open_id`; 1 to 128 characters without white space and braces. */
  readonly account: string;
  /** Where the video or the photos come from. */
  readonly media: Media;
  /** When to start: ISO 8601 with a time zone, such as `2026-12-01T10:00:00Z`; at once if left out. More than ten minutes ago is refused. */
  readonly scheduledAt?: string | undefined;
  /**
   * The latest start: ISO 8601 with a time zone, after `scheduledAt`. A job that has not begun at TikTok by then ends
   * `failed` with `JOB_OVERDUE` instead of going out late.
   */
  readonly notAfter?: string | undefined;
  /** 0 to 2,097,151: jobs with a lower number run first; 0 by default. */
  readonly priority?: number | undefined;
  /** Gets the job's events as signed POST requests; `http(s)://` without user and password, at most 8,192 characters. */
  readonly callbackUrl?: string | undefined;
  /**
   * When TikTok's answer to the start of a pull was lost: end the job `unconfirmed` (the default), or `repeat` it at the
   * risk of a second post.
   */
  readonly onLostInit?: 'unconfirmed' | 'repeat' | undefined;
  /** When the same video was recently published on the account; by default as `ON_DUPLICATE` of the service says. */
  readonly onDuplicate?: 'allow' | 'warn' | 'refuse' | undefined;
  /** Your own JSON object, returned with the job and its events; at most 2,048 bytes as JSON. */
  readonly metadata?: Record<string, unknown> | undefined;
}

/** A request to publish one post at once. */
export interface DirectRequest extends AnyRequest {
  /** Publish at once. */
  readonly mode: 'direct';
  /** Settings of the post; `privacyLevel` is required. */
  readonly post: DirectPostSettings;
}

/** A request to send one draft to the creator's inbox. */
export interface InboxRequest extends AnyRequest {
  /** Send a draft to the creator's inbox. */
  readonly mode: 'inbox';
  /** Settings of the post, which the creator may change. */
  readonly post?: PostSettings | undefined;
}

/** A request to publish one video or one set of photos on one TikTok account. */
export type NewRequest = DirectRequest | InboxRequest;
