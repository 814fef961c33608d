import { readFile } from 'node:fs/promises';
import { planChunks } from '../../src/core/chunk-plan.ts';
import type { ErrorCode } from '../../src/core/error-table.ts';
import { PublishError } from '../../src/core/publish-error.ts';
import type { PublishRequest } from '../../src/core/publish-request.ts';
import type { Session } from '../../src/core/session.ts';
import { HOUR_MS } from '../../src/core/units.ts';
import { endChange, newRecord } from '../../src/ledger/change.ts';
import { createLedger } from '../../src/ledger/ledger.ts';
import type { LedgerPatch } from '../../src/ledger/record.ts';
import { openFileSource } from '../../src/media/file-source.ts';
import { createTikTokClient } from '../../src/tiktok/index.ts';
import type { Fleet } from './fleet.ts';

/** How far jobs had got when they failed, with the way that a retry goes. */
export const PHASES = {
  /** Nothing was sent. */
  unsent: 'fresh_init',
  /** A session without a byte. */
  begun: 'resume',
  /** TikTok has published it, and nobody knows. */
  unseen: 'poll',
  /** TikTok failed it. */
  dead: 'fresh_init',
  /** A pull whose init got no answer. */
  doubtful: undefined,
} as const;
type Phase = keyof typeof PHASES;

export interface PlantedJob {
  readonly id: string;
  readonly title: string;
  readonly phase: Phase;
}

/** How many jobs are planted at the same time. */
const AT_ONCE = 25;

/** Makes failed and unconfirmed jobs of every phase, one of each per account, with what TikTok has of them. */
export async function plantFailures(fleet: Fleet, accounts: readonly string[], video: string): Promise<PlantedJob[]> {
  const { redis, keys, sealer, simulator, accessTokens } = fleet;
  const ledger = createLedger({ redis, keys, clock: Date });
  const tiktok = createTikTokClient({ apiBaseUrl: simulator.url });
  const bytes = await readFile(video);
  const source = await openFileSource(video, { kind: 'video' });
  const { pin } = source;
  await source.close();
  const plan = planChunks(pin.sizeBytes, 10_485_760);

  async function beginAtTikTok(account: string, title: string) {
    const post = { title, privacyLevel: 'SELF_ONLY' } as const;
    const accessToken = accessTokens.get(account) ?? '';
    const { publishId, uploadUrl = '' } = await tiktok.initDirectVideo(
      { post, source: { kind: 'file_upload', plan } },
      { accessToken },
    );
    return { publishId, uploadUrl };
  }

  /** What the record has of it, and the code that it ended with. */
  async function stateOf(id: string, phase: Phase, account: string, title: string) {
    const upload = { totalBytes: plan.totalBytes, chunkSizeBytes: plan.chunkSizeBytes, pin, initCount: 1 };
    const ended = (code: ErrorCode, session: Session, patch: LedgerPatch = {}) => ({
      code,
      patch: { ...patch, session },
    });
    switch (phase) {
      case 'unsent':
        return ended('INPUT_MEDIA_NOT_FOUND', { kind: 'none' });
      case 'begun': {
        const { publishId, uploadUrl } = await beginAtTikTok(account, title);
        const urlSealed = await sealer.seal(uploadUrl, `upload-url:${id}`);
        return ended(
          'UPLOAD_SERVER_ERROR',
          { kind: 'upload', publishId, urlSealed, urlExpiresAt: Date.now() + HOUR_MS, lastChunkStartedAt: undefined },
          { ...upload, acceptedCrc32: 0 },
        );
      }
      case 'unseen': {
        const { publishId, uploadUrl } = await beginAtTikTok(account, title);
        const range = `bytes 0-${bytes.length - 1}/${bytes.length}`;
        const headers = { 'content-type': 'video/mp4', 'content-range': range };
        await fetch(uploadUrl, { method: 'PUT', headers, body: bytes });
        const session = { kind: 'upload', publishId, lastChunkStartedAt: Date.now() } as const;
        return ended('TIKTOK_NO_OUTCOME', { ...session, urlSealed: undefined, urlExpiresAt: undefined }, upload);
      }
      case 'dead':
        return ended('TIKTOK_PROCESSING_INTERNAL', { kind: 'failed', publishId: `dead-${id}`, failedAt: Date.now() });
      case 'doubtful':
        return ended('TIKTOK_LOST_INIT', { kind: 'none' });
    }
  }

  async function plant(account: string, phase: Phase): Promise<PlantedJob> {
    const title = `${account} ${phase}`;
    const id = title.replace(' ', '-');
    const media =
      phase === 'doubtful'
        ? ({ type: 'pull', url: 'https://media.example.com/v.mp4' } as const)
        : ({ type: 'file', path: video } as const);
    const request: PublishRequest = { account, mode: 'direct', media, post: { title, privacyLevel: 'SELF_ONLY' } };
    const { record } = await ledger.create(newRecord({ id, request, now: Date.now() }), { event: 'queued' });
    const { code, patch } = await stateOf(id, phase, account, title);
    const to = phase === 'unseen' || phase === 'doubtful' ? 'unconfirmed' : 'failed';
    const end = endChange(record, { to, error: new PublishError(code) }, Date.now());
    await ledger.commitAndLeave(record, { ...end, patch: { ...end.patch, ...patch } });
    return { id, title, phase };
  }

  const planted: PlantedJob[] = [];
  for (let first = 0; first < accounts.length; first += AT_ONCE) {
    const some = accounts.slice(first, first + AT_ONCE);
    planted.push(
      ...(await Promise.all(
        some.flatMap((account) => (Object.keys(PHASES) as Phase[]).map((phase) => plant(account, phase))),
      )),
    );
  }
  await tiktok.close();
  return planted;
}
