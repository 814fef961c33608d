import type { MediaFacts } from './media-facts.ts';
import type { ReadMedia } from './media-route.ts';
import type { PhotoItem } from './new-request.ts';

/** Wall-clock time; injected so that tests decide what time it is. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
}

/**
 * Where access tokens come from. The vault is ours; an app that already keeps its customers' tokens brings its own.
 *
 * @throws PublishError `INPUT_ACCOUNT_UNKNOWN`, `AUTH_REAUTHORIZATION_REQUIRED`, or a `TRANSPORT_*`/`TIKTOK_*` code
 * when a refresh could not be made right now
 */
export interface TokenSource {
  /**
   * A token that should work now.
   * @param rejectedToken the token TikTok has just refused, so that another one is fetched
   */
  accessToken(account: string, options?: { rejectedToken?: string; signal?: AbortSignal }): Promise<string>;
}

/** What a user is asked at TikTok before the app may post for them. */
export interface ConsentQuestion {
  readonly clientKey: string;
  readonly redirectUri: string;
  /** Comes back with the browser. */
  readonly state: string;
  /** Hex SHA-256 of the verifier, where RFC 7636 has base64url (login-kit-desktop, read 2026-11-22). */
  readonly codeChallenge: string;
  readonly scopes: readonly string[];
}

/** Seals secrets at rest, bound to a context so that a sealed value can't be moved elsewhere. */
export interface Sealer {
  seal(plaintext: string, context: string): Promise<string>;
  /** @throws PublishError `CONFIG_KEY_UNKNOWN` or `INTERNAL_TAMPERED` */
  open(sealed: string, context: string): Promise<string>;
}

/** A sealer whose key can be rotated: the newest key seals, older ones still open. */
export interface RotatingSealer extends Sealer {
  /** Whether a value was sealed with another key, or in another form, than the one that seals now. */
  needsReseal(sealed: string): Promise<boolean>;
}

/** What identifies the bytes of a source, so that a changed one is noticed. */
export interface SourcePin {
  readonly sizeBytes: number;
  /** Modification time (ms since the epoch) and inode for files, ETag or Last-Modified for remote ones. */
  readonly version: string;
}

/** What a file must be: TikTok takes other formats and sizes of photos than of videos. */
export type MediaKind = 'video' | 'photo';

export type VideoType = 'video/mp4' | 'video/quicktime' | 'video/webm';

/** An opened video or photo, readable by range. Flat memory: at most a few buffers are alive. */
export interface MediaSource {
  readonly pin: SourcePin;
  readonly contentType: VideoType | 'image/jpeg' | 'image/webp';
  /**
   * Whether the pin changes with every byte, as ETags of object storage do: then what was accepted need not be read
   * again to know that it is still the same. Not so for files, whose times and inodes can lie.
   */
  readonly isPinStrong?: boolean;
  /** What a person should know of a source that can be read all the same; no secrets. */
  readonly remarks?: readonly string[];
  /**
   * The bytes of a half-open range, in buffers that are valid until the next one is asked for.
   * @throws PublishError `INPUT_MEDIA_CHANGED` when the source is shorter than its pin says
   */
  read(startByte: number, endByteExclusive: number): AsyncGenerator<Uint8Array, void, void>;
  /** @throws PublishError `INPUT_MEDIA_CHANGED` when the source is no longer what its pin says */
  verifyUnchanged(): Promise<void>;
  close(): Promise<void>;
}

/** Opens media that we read, with its secrets in the clear. @param kind a video unless told */
export type OpenMedia = (media: ReadMedia, kind?: MediaKind) => Promise<MediaSource>;

/**
 * Makes the link by which TikTok downloads one file of a job from our web server.
 * @param index 0 for a video, the number of a photo
 */
export type LinkToMedia = (
  jobId: string,
  index: number,
  source: Pick<MediaSource, 'pin' | 'contentType'>,
) => Promise<string>;

/** What is known of a photo by its first bytes. */
export interface PhotoFacts {
  /** In pixels; null where its head does not tell. */
  readonly size: { readonly width: number; readonly height: number } | null;
}

/**
 * Looks at a photo that TikTok is to download, by its URL as TikTok would: without a redirect. Reads its head only.
 * @throws PublishError `INPUT_PHOTO_UNSUPPORTED`, `INPUT_PHOTO_REDIRECTS`, or that of a server that gives no photo
 */
export type LookAtPhoto = (photo: PhotoItem, options?: { readonly signal?: AbortSignal }) => Promise<PhotoFacts>;

/**
 * Finds out what a video's bytes tell about it, within bounds of bytes and time.
 * @throws PublishError of the source; rejects with the signal's reason when aborted
 */
export type ProbeMedia = (
  source: MediaSource,
  options?: { readonly signal?: AbortSignal },
) => Promise<{ readonly facts: MediaFacts }>;
