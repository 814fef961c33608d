import type { LedgerPatch } from './record.ts';

/** Clears everything that belongs to a publish_id, for a job that begins afresh; a wish to cancel it outlives that. */
export const NO_SESSION: LedgerPatch = {
  publishId: undefined,
  uploadUrlSealed: undefined,
  uploadExpiresAt: undefined,
  lastChunkStartedAt: undefined,
  processingSince: undefined,
  failedByTikTokAt: undefined,
  cancelAskedAt: undefined,
  initIntendedAt: undefined,
  gaveUpFor: undefined,
  pullBytes: undefined,
  pullProgressAt: undefined,
  pullStalledAt: undefined,
  nextPollAt: undefined,
  toldAt: undefined,
  pollCount: 0,
  sentBytes: 0,
  acceptedBytes: 0,
  acceptedCrc32: undefined,
};
