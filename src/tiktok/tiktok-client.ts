import type { z } from 'zod';
import type { ChunkPlan } from '../core/chunk-plan.ts';
import type { CreatorInfo } from '../core/creator-rules.ts';
import type { MediaSource } from '../core/ports.ts';
import type { PublishMode, PublishRequest } from '../core/publish-request.ts';
import type { statusWire, tokenGrantWire } from './wire.ts';

/** Who a call is made for. */
export interface CallContext {
  /** The user's access token. */
  readonly accessToken: string;
  /** Ends the call at once; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Where TikTok gets the video from. */
export type VideoSource =
  | { readonly kind: 'file_upload'; readonly plan: ChunkPlan }
  | { readonly kind: 'pull'; readonly url: string };

/** Photos that TikTok is to fetch. */
export interface PhotoSet {
  /** 1 to 35 URLs of verified domains. */
  readonly urls: readonly string[];
  /** Which of them is the cover, from 0. */
  readonly coverIndex: number;
}

/** Settings of a direct post. */
export type PostSettings = NonNullable<PublishRequest['post']>;

/** A begun publish. */
export interface InitAnswer {
  readonly publishId: string;
  /** Where the chunks go, for one hour; a credential. Only for `file_upload`. */
  readonly uploadUrl: string | undefined;
  readonly logId: string | undefined;
}

/** TikTok's statuses (content-posting-api-reference-get-video-status, read 2026-11-22). */
export const KNOWN_STATUSES = [
  'PROCESSING_UPLOAD',
  'PROCESSING_DOWNLOAD',
  'SEND_TO_USER_INBOX',
  'PUBLISH_COMPLETE',
  'FAILED',
] as const;

/** What TikTok says of a publish. */
export interface StatusAnswer extends Readonly<z.output<typeof statusWire>> {
  /** `unknown` for a status that TikTok does not document: best taken as still processing. */
  readonly status: (typeof KNOWN_STATUSES)[number] | 'unknown';
  readonly logId: string | undefined;
}

/** One chunk to send. */
export interface PutChunkInput {
  readonly uploadUrl: string;
  readonly chunk: { readonly startByte: number; readonly endByteExclusive: number };
  readonly totalBytes: number;
  readonly contentType: MediaSource['contentType'];
  /** Exactly the bytes of the chunk; called once. */
  readonly body: () => AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal | undefined;
}

/** A chunk that TikTok took. */
export interface PutChunkAnswer {
  /** Whether TikTok has the whole file, and so begins to post it. */
  readonly complete: boolean;
  /** The N of the reply's `Content-Range: bytes 0-N/T`; see `edgeForReport`. */
  readonly reportedUploadedBytes: number | undefined;
  readonly httpStatus: number;
}

/** The app's own credentials. */
export interface ClientCredentials {
  readonly clientKey: string;
  readonly clientSecret: string;
}

/** Tokens as TikTok grants them. */
export type TokenGrant = Readonly<z.output<typeof tokenGrantWire>>;

/** One HTTP call, for metrics. */
export interface RequestObservation {
  readonly endpoint: string;
  /** `ok`, TikTok's own code, `http_500` and the like, our error code, or `aborted`. */
  readonly code: string;
  readonly durationMs: number;
}

/**
 * TikTok's Content Posting API. All calls reject with a PublishError whose code says what follows from it, or with the
 * signal's reason when aborted.
 */
export interface TikTokClient {
  /** Begins a post. With a `pull` source this call alone may publish: never repeat it after a lost answer. */
  initDirectVideo(
    input: { readonly post: PostSettings; readonly source: VideoSource },
    context: CallContext,
  ): Promise<InitAnswer>;
  /** Begins a draft for the creator's inbox; takes no settings, the creator chooses them in the app. */
  initInboxVideo(input: { readonly source: VideoSource }, context: CallContext): Promise<InitAnswer>;
  /**
   * Begins a post of photos, or a draft of them. This call alone may publish: never repeat it after a lost answer.
   * A draft takes title and description of the settings only.
   */
  initPhotos(
    input: { readonly mode: PublishMode; readonly post: PostSettings; readonly photos: PhotoSet },
    context: CallContext,
  ): Promise<InitAnswer>;
  /** Repeated briefly by itself when the network hiccups. */
  fetchStatus(input: { readonly publishId: string }, context: CallContext): Promise<StatusAnswer>;
  /** Repeated briefly by itself when the network hiccups. */
  queryCreatorInfo(context: CallContext): Promise<CreatorInfo>;
  /** Best effort, for a running download of TikTok's only. @throws PublishError `TIKTOK_NOT_CANCELLABLE` */
  cancelPublish(input: { readonly publishId: string }, context: CallContext): Promise<void>;
  /**
   * Sends one chunk.
   * @throws PublishError `UPLOAD_*`, `TRANSPORT_*`, `INPUT_MEDIA_CHANGED` when the body is longer or shorter than the chunk
   */
  putChunk(input: PutChunkInput): Promise<PutChunkAnswer>;
  /** @throws PublishError `AUTH_REAUTHORIZATION_REQUIRED` for `invalid_grant`, `AUTH_CLIENT_REFUSED` for the app itself */
  refreshToken(
    input: ClientCredentials & { readonly refreshToken: string },
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<TokenGrant>;
  /** Turns the code of a finished OAuth consent into tokens. */
  exchangeCode(
    input: ClientCredentials & {
      readonly code: string;
      readonly redirectUri: string;
      readonly codeVerifier?: string | undefined;
    },
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<TokenGrant>;
  /** Takes the app's access back. */
  revokeToken(
    input: ClientCredentials & { readonly accessToken: string },
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<void>;
  /** Ends all calls and connections. */
  close(): Promise<void>;
}
