/** The public subpath `tiktok-publisher/tiktok`: TikTok's API alone, without queue and Redis. */
export {
  type Chunk,
  type ChunkPlan,
  chunkAt,
  chunkIndexAtOffset,
  edgeForReport,
  MAX_VIDEO_BYTES,
  planChunks,
} from '../core/chunk-plan.ts';
export type { CreatorInfo } from '../core/creator-rules.ts';
export { ERROR_TABLE, type ErrorCode } from '../core/error-table.ts';
export { PublishError, type SafeDetails } from '../core/publish-error.ts';
export { failReasonToErrorCode } from '../core/tiktok-codes.ts';
export { createTikTokClient, type TikTokClientOptions } from './create-tiktok-client.ts';
export type { OnRequest } from './observe-request.ts';
export type { BriefRetry } from './retry.ts';
export type {
  CallContext,
  ClientCredentials,
  InitAnswer,
  PhotoSet,
  PostSettings,
  PutChunkAnswer,
  PutChunkInput,
  RequestObservation,
  StatusAnswer,
  TikTokClient,
  TokenGrant,
  VideoSource,
} from './tiktok-client.ts';
export type { TikTokTimeouts } from './transport.ts';
