import { createHash, type Hash } from 'node:crypto';
import type { FileSource } from './chunk-rules.ts';
import { MovieLength } from './movie-length.ts';
import type { SimulatorSettings } from './options.ts';
import { ALPHANUMERIC, type SeededRandom } from './random.ts';
import type { PullSource, Source } from './source-info.ts';

/** "The upload_url is valid for one hour", content-posting-api-media-transfer-guide, read 2026-11-22. */
const UPLOAD_URL_LIFETIME_MS = 3_600_000;

/** One PUT as the journal saw it. Fields change while bytes come in. */
export interface ChunkRecord {
  /** Range the client announced; NaN where it announced none. */
  startByte: number;
  /** End of that range, exclusive. */
  endByteExclusive: number;
  /** Size of the video that the client announced, in bytes. */
  totalBytes: number;
  /** Bytes of the body that arrived. */
  receivedBytes: number;
  /** The chunk was added to the upload. */
  accepted: boolean;
  /** Another PUT to the same upload ran at the same time, and neither client had given up. */
  concurrent: boolean;
  /** The range did not continue the upload. */
  outOfOrder: boolean;
  /** Of `receivedBytes`, those that came after a newer PUT to the same upload had begun. */
  bytesSinceOvertaken: number;
}

/** The receiving side of a FILE_UPLOAD. */
export interface UploadTask {
  uploadId: string;
  uploadToken: string;
  plan: FileSource;
  expiresAt: number;
  acceptedBytes: number;
  /** Bytes of all PUT bodies, those of refused and broken ones included. */
  receivedBytes: number;
  /** Running digest of the accepted bytes. */
  hash: Hash | undefined;
  /** Finds how long the video of the accepted bytes is. */
  length: MovieLength;
  /** The PUT that began last, to notice overlaps. */
  latestPut?: ChunkRecord | undefined;
  /** The 403 or 416 that answered the latest PUT. */
  refused?: { httpStatus: number; startByte: number } | undefined;
  /** A scripted answer told the client of bytes that did not come in, so the order of its chunks says nothing of it. */
  misled?: boolean;
}

/** The fetching side of a PULL_FROM_URL. */
export interface PullTask {
  media: PullSource['media'];
  urls: readonly string[];
  downloadedBytes: number;
  totalBytes?: number | undefined;
  sha256?: string | undefined;
  /** Where a fault stops the pretended download. */
  stalledAtBytes?: number | undefined;
  /** `fail_reason`, once it is known that nothing comes of it. */
  failReason?: string | undefined;
  /** The status by which a URL refused a real download. */
  refusedStatus?: number | undefined;
  /** A photo was of another format, or too large. */
  refusedPhoto?: boolean;
}

export interface Post {
  postId: string;
  at: number;
  isPublic: boolean;
}

/** The fields of `post_info` the simulator keeps, as sent. */
export type PostInfo = Record<string, unknown> & {
  title?: string | undefined;
  privacy_level?: string | undefined;
  video_cover_timestamp_ms?: number | undefined;
};

/** One publish, from its init on. What it has become at a given time is worked out in publish-status.ts. */
export interface Publish {
  publishId: string;
  openId: string;
  kind: 'direct' | 'inbox';
  initAt: number;
  postInfo: PostInfo;
  /** The longest video that it may be, in seconds. */
  maxSeconds: number | undefined;
  /** How long its video is, in seconds, if its bytes say. */
  seconds?: number | undefined;
  upload: UploadTask | undefined;
  pull: PullTask | undefined;
  /** When the last byte was in. */
  transferredAt?: number | undefined;
  /** When the outcome is due, if a test asked for another time than `processingMs` after the last byte. */
  processedAt?: number | undefined;
  /** Reason to fail with once processed. */
  failReason?: string | undefined;
  stuck: boolean;
  /** Ended early: cancelled, or the user disconnected the app. */
  ended?: { at: number; reason: string } | undefined;
  /** The answer with its id got lost, so that its client cannot ask how it ended. */
  isIdLost?: boolean;
  /** Its client was told how it ended. */
  outcomeTold?: boolean;
  /** Id of the post that a direct publish makes. */
  directPostId: string;
  /** Posts the person made of an inbox draft. */
  draftPosts: Post[];
}

/** Makes publishes and finds them again. */
export class Publishes {
  readonly #settings: SimulatorSettings;
  readonly #random: SeededRandom;
  readonly #byId = new Map<string, Publish>();
  readonly #byUploadId = new Map<string, Publish>();
  readonly #byOpenId = new Map<string, Publish[]>();
  /** What every upload URL ever given out consists of, beside its address. */
  readonly handedOut: string[] = [];

  constructor(settings: SimulatorSettings, random: SeededRandom) {
    this.#settings = settings;
    this.#random = random;
  }

  create(
    { openId, kind, postInfo, maxSeconds }: Pick<Publish, 'openId' | 'kind' | 'postInfo'> & { maxSeconds?: number },
    source: Source,
  ): Publish {
    const now = this.#settings.clock.now();
    const isFile = source.source === 'FILE_UPLOAD';
    const publish: Publish = {
      publishId: `${idPrefix(kind, source)}.${this.#random.int64Digits()}`,
      openId,
      kind,
      initAt: now,
      postInfo,
      maxSeconds,
      upload: isFile ? this.#newUpload(source, now) : undefined,
      pull: isFile ? undefined : { media: source.media, urls: source.urls, downloadedBytes: 0 },
      stuck: false,
      directPostId: this.newPostId(),
      draftPosts: [],
    };
    this.#byId.set(publish.publishId, publish);
    const ofUser = this.#byOpenId.get(openId) ?? [];
    ofUser.push(publish);
    this.#byOpenId.set(openId, ofUser);
    if (publish.upload !== undefined) this.#byUploadId.set(publish.upload.uploadId, publish);
    return publish;
  }

  get(publishId: string): Publish | undefined {
    return this.#byId.get(publishId);
  }

  ofUpload(uploadId: string): Publish | undefined {
    return this.#byUploadId.get(uploadId);
  }

  /** A user's publishes, oldest first. */
  ofUser(openId: string): readonly Publish[] {
    return this.#byOpenId.get(openId) ?? [];
  }

  all(): Publish[] {
    return [...this.#byId.values()];
  }

  newPostId(): string {
    return this.#random.int64Digits();
  }

  clear(): void {
    this.#byId.clear();
    this.#byUploadId.clear();
    this.#byOpenId.clear();
  }

  #newUpload(plan: FileSource, now: number): UploadTask {
    const uploadId = this.#random.int64Digits();
    const uploadToken = this.#random.text(32, ALPHANUMERIC);
    this.handedOut.push(uploadId, uploadToken);
    return {
      uploadId,
      uploadToken,
      plan,
      expiresAt: now + UPLOAD_URL_LIFETIME_MS,
      acceptedBytes: 0,
      receivedBytes: 0,
      hash: this.#settings.digest ? createHash('sha256') : undefined,
      length: new MovieLength(),
    };
  }
}

/** The forms the documentation shows, content-posting-api-get-started, read 2026-11-22. */
function idPrefix(kind: 'direct' | 'inbox', source: Source): string {
  if (source.source === 'PULL_FROM_URL' && source.media === 'photos') return 'p_pub_url~v2';
  const isFile = source.source === 'FILE_UPLOAD';
  if (kind === 'direct') return isFile ? 'v_pub_file~v2-1' : 'v_pub_url~v2';
  return isFile ? 'v_inbox_file~v2' : 'v_inbox_url~v2';
}
