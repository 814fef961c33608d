import { performance } from 'node:perf_hooks';
import { crc32 } from 'node:zlib';
import { type Chunk, type ChunkPlan, chunkAt, chunkIndexAtOffset } from '../../core/chunk-plan.ts';
import { exposureOf } from '../../core/exposure.ts';
import type { MediaSource } from '../../core/ports.ts';
import { PublishError } from '../../core/publish-error.ts';
import type { UploadSession } from '../../core/session.ts';
import { Handback } from '../../core/step-interrupt.ts';
import { retryBriefly } from '../../tiktok/retry.ts';
import type { Needs } from '../deps.ts';
import { learnFromChunk } from '../learn-facts.ts';
import type { OwnedJob } from '../owned-job.ts';
import { leaseTimes } from '../runtime/recovery.ts';
import { askStatus, type QuotaCallDeps } from '../tiktok-calls.ts';
import { type Lease, startLease } from './lease.ts';
import {
  planOf,
  positionFromReport,
  positionFromStatus,
  type UploadPosition,
  verifyAcceptedBytes,
} from './upload-position.ts';

/** Corrections of the offset in one run. */
const MAX_CORRECTIONS = 5;

type LastChunkEvent = 'last_chunk_started' | 'last_chunk_refused' | 'last_chunk_held_back';

export type ChunkDeps = QuotaCallDeps & Needs<'facts' | 'log' | 'metrics' | 'settings' | 'tiktok'>;

/** How a worker is told to stop. */
export interface StopSignals {
  /** Stop at the next chunk edge. */
  readonly draining: AbortSignal;
  /** Stop now: the lock is lost or the time is up. */
  readonly signal: AbortSignal;
}

/** One run of the chunk loop: from where TikTok is to the last byte. */
export class ChunkLoop {
  readonly #job: OwnedJob;
  readonly #source: MediaSource;
  readonly #deps: ChunkDeps;
  readonly #stop: StopSignals;
  readonly #plan: ChunkPlan;
  readonly #uploadUrl: string;
  readonly #lease: Lease;
  /** CRC-32 of the first `#crcEnd` bytes. */
  #crc = 0;
  #crcEnd = 0;
  #sentBytes = 0;
  /** Highest byte that was ever sent, to count what is sent again. */
  #highestSentByte: number;
  #corrections = 0;
  /** Whether a failover can no longer forget the publish_id whose last chunk we send. */
  #isConfirmed = false;
  /** Nothing of this publish_id's last chunk was ever sent, so that TikTok surely does not have it. */
  #isUnsent: boolean;
  /** A try ended without an answer, and TikTok has not been asked since. */
  #inDoubt = false;

  constructor(
    {
      job,
      source,
      uploadUrl,
      isNew,
    }: {
      readonly job: OwnedJob;
      readonly source: MediaSource;
      readonly uploadUrl: string;
      readonly isNew: boolean;
    },
    deps: ChunkDeps,
    stop: StopSignals,
  ) {
    this.#job = job;
    this.#source = source;
    this.#deps = deps;
    this.#stop = stop;
    this.#plan = planOf(job.record);
    this.#uploadUrl = uploadUrl;
    this.#isUnsent = isNew;
    this.#highestSentByte = job.record.sentBytes;
    this.#lease = startLease(job, leaseTimes(deps.settings.recovery), () => ({ sentBytes: this.#sentBytes }));
  }

  get #session(): UploadSession {
    const { session } = this.#job.record;
    if (session.kind !== 'upload') throw new PublishError('UPLOAD_TASK_MISSING', { reason: 'no upload was begun' });
    return session;
  }

  async run(position: UploadPosition): Promise<void> {
    this.#deps.metrics.uploadStarted();
    try {
      let offset = position.kind === 'at' ? position.offsetBytes : this.#job.record.acceptedBytes;
      await this.#rewindTo(offset);
      while (offset < this.#plan.totalBytes) offset = await this.#advance(offset);
    } finally {
      this.#lease.stop();
      this.#deps.metrics.uploadEnded();
    }
  }

  /** Sends the chunk at an offset. @returns the next byte TikTok wants */
  async #advance(offset: number): Promise<number> {
    const reasonToStop = this.#reasonToStop();
    if (reasonToStop !== undefined) {
      const isMarked = exposureOf(this.#job.record) === 'may_appear';
      if (this.#isUnsent && isMarked) await this.#noteLastChunk('last_chunk_held_back', undefined);
      throw reasonToStop;
    }
    const chunk = chunkAt(this.#plan, this.#indexAt(offset));
    // From the note on, TikTok may have everything.
    const isUnmarked = chunk.isLast && exposureOf(this.#job.record) === 'open';
    if (isUnmarked) await this.#noteLastChunk('last_chunk_started', this.#deps.clock.now());
    const beginsLastChunk = isUnmarked || (chunk.isLast && this.#isUnsent);
    if (chunk.isLast) this.#isUnsent = false;
    const signal = AbortSignal.any([this.#stop.signal, this.#lease.signal]);
    try {
      if (chunk.isLast) await this.#confirm();
      const next = await retryBriefly(async () => await this.#sendOrAsk(chunk, signal), { signal });
      if (next <= offset) this.#countCorrection();
      if (next !== this.#crcEnd && next !== this.#plan.totalBytes) await this.#rewindTo(next);
      await this.#noteAccepted(next);
      return next;
    } catch (error) {
      // Every try was provably refused or none was made, so TikTok can't have everything after all.
      const isRefused = error instanceof PublishError && error.row.outcomeKnown && !this.#inDoubt && !signal.aborted;
      if (beginsLastChunk && isRefused) {
        const isHeldBack = error.code === 'REDIS_NOT_REPLICATED';
        await this.#noteLastChunk(isHeldBack ? 'last_chunk_held_back' : 'last_chunk_refused', undefined);
      }
      throw error;
    }
  }

  #reasonToStop(): Handback | PublishError | undefined {
    if (this.#stop.draining.aborted) return new Handback();
    const { urlExpiresAt } = this.#session;
    const isExpired = urlExpiresAt !== undefined && this.#deps.clock.now() >= urlExpiresAt;
    return isExpired ? new PublishError('UPLOAD_URL_EXPIRED') : undefined;
  }

  async #noteLastChunk(event: LastChunkEvent, lastChunkStartedAt: number | undefined): Promise<void> {
    await this.#job.commit({ cause: { event }, patch: { session: { ...this.#session, lastChunkStartedAt } } });
  }

  /** Also for a last chunk that was started before: its owner may have died before this. */
  async #confirm(): Promise<void> {
    if (!this.#isConfirmed) await this.#job.confirm();
    this.#isConfirmed = true;
  }

  /** TikTok wants bytes again that it had; too often means that something else is wrong. */
  #countCorrection(): void {
    this.#corrections += 1;
    if (this.#corrections > MAX_CORRECTIONS) throw new PublishError('UPLOAD_OFFSET_MISMATCH');
  }

  async #sendOrAsk(chunk: Chunk, signal: AbortSignal): Promise<number> {
    // The last chunk makes the post: after a lost answer, ask TikTok before sending it again.
    if (this.#inDoubt && chunk.isLast) {
      const next = this.#offsetOf(await this.#askPosition(), chunk.startByte);
      if (next !== chunk.startByte) return next;
    }
    try {
      return await this.#send(chunk, signal);
    } catch (error) {
      if (!(error instanceof PublishError) || signal.aborted) throw error;
      if (error.row.verdict === 'resync_offset') return await this.#resync(error, chunk);
      if (!error.row.outcomeKnown) this.#inDoubt = true;
      this.#deps.metrics.chunkRetried(error.code);
      throw error;
    }
  }

  async #send(chunk: Chunk, signal: AbortSignal): Promise<number> {
    const startedAt = performance.now();
    const resentBytes = Math.max(0, Math.min(this.#highestSentByte, chunk.endByteExclusive) - chunk.startByte);
    // No upload goes on after its last chunk, and a strong pin tells more than a checksum.
    const sent = chunk.isLast || this.#source.isPinStrong ? undefined : { crc: this.#crc };
    this.#sentBytes = chunk.startByte;
    const answer = await this.#deps.tiktok.putChunk({
      uploadUrl: this.#uploadUrl,
      chunk,
      totalBytes: this.#plan.totalBytes,
      contentType: this.#source.contentType,
      body: () => this.#piecesOf(chunk, sent),
      signal,
    });
    this.#crc = sent?.crc ?? this.#crc;
    if (!chunk.isLast) this.#crcEnd = chunk.endByteExclusive;
    this.#deps.metrics.chunkAccepted({
      newBytes: chunk.endByteExclusive - chunk.startByte,
      resentBytes,
      durationMs: performance.now() - startedAt,
    });
    if (answer.complete) return this.#plan.totalBytes;
    await learnFromChunk(this.#job, chunk, answer.reportedUploadedBytes, this.#deps);
    return this.#offsetOf(positionFromReport(answer.reportedUploadedBytes, this.#plan), chunk.endByteExclusive);
  }

  /** @param sent its checksum goes on with each piece; undefined where nobody needs it */
  async *#piecesOf(
    { startByte, endByteExclusive }: Chunk,
    sent: { crc: number } | undefined,
  ): AsyncGenerator<Uint8Array, void, void> {
    let leftBytes = endByteExclusive - startByte;
    for await (const piece of this.#source.read(startByte, endByteExclusive)) {
      leftBytes -= piece.byteLength;
      // Before the chunk can be taken: a file replaced midway must not become half of two videos.
      if (leftBytes <= 0) await this.#source.verifyUnchanged();
      // Last, so that the proof is as fresh as possible when the bytes are sent.
      await this.#lease.ensureHeld();
      if (sent !== undefined) sent.crc = crc32(piece, sent.crc);
      this.#sentBytes += piece.byteLength;
      this.#highestSentByte = Math.max(this.#highestSentByte, this.#sentBytes);
      yield piece;
    }
  }

  /** After a 416: the reply says where TikTok is, else its status does. */
  async #resync(mismatch: PublishError, chunk: Chunk): Promise<number> {
    this.#deps.metrics.uploadResumed('offset_mismatch');
    const said = positionFromReport(mismatch.details.reportedUploadedBytes, this.#plan);
    const position = said.kind === 'unknown' ? await this.#askPosition() : said;
    const next = position.kind === 'unknown' ? undefined : this.#offsetOf(position, chunk.startByte);
    // No answer, or one that contradicts the refusal: start again from the queue, with a backoff.
    if (next === undefined || next === chunk.startByte) throw mismatch;
    this.#countCorrection();
    return next;
  }

  async #askPosition(): Promise<UploadPosition> {
    const position = positionFromStatus(await askStatus(this.#job, this.#deps), this.#plan);
    if (position.kind !== 'unknown') this.#inDoubt = false;
    return position;
  }

  #offsetOf(position: UploadPosition, otherwise: number): number {
    if (position.kind === 'complete') return this.#plan.totalBytes;
    return position.kind === 'at' ? position.offsetBytes : otherwise;
  }

  #indexAt(offset: number): number {
    const index = chunkIndexAtOffset(this.#plan, offset);
    if (index === undefined) throw new PublishError('INTERNAL_ERROR', { reason: `no chunk starts at byte ${offset}` });
    return index;
  }

  /** Sets the running checksum for an offset that we did not reach by sending. A strong pin needs no checksum. */
  async #rewindTo(offset: number): Promise<void> {
    const { acceptedBytes, acceptedCrc32 } = this.#job.record;
    const known = acceptedCrc32 === undefined ? undefined : { endByte: acceptedBytes, crc32: acceptedCrc32 };
    this.#crc = this.#source.isPinStrong ? 0 : await verifyAcceptedBytes(this.#source, offset, known);
    this.#crcEnd = offset;
    this.#sentBytes = offset;
  }

  /** TikTok accepted bytes, so earlier errors are over: the attempts start again. */
  async #noteAccepted(offset: number): Promise<void> {
    if (offset >= this.#plan.totalBytes) return;
    const attempts = offset > this.#job.record.acceptedBytes ? 0 : this.#job.record.attempts;
    const acceptedCrc32 = this.#source.isPinStrong ? undefined : this.#crc;
    await this.#job.note({ acceptedBytes: offset, sentBytes: offset, acceptedCrc32, attempts });
  }
}
