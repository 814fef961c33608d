import { randomUUID } from 'node:crypto';
import { basename } from 'node:path';
import { inject } from 'vitest';
import type { PublishRequest } from '../../src/core/publish-request.ts';
import type { JournalEntry, PublishView } from '../../src/simulator/index.ts';
import { makeVideo } from '../support/videos.ts';
import type { ChaosProcess } from './chaos-process.ts';
import { PULL_PREFIX, type Stage, type StageOptions, type StartWorkerOptions, startStage } from './stage.ts';
import type { Notice, Trap } from './traps.ts';

/** Three chunks of 5 MiB, the last one a little longer. */
const THREE_CHUNKS_BYTES = 15_800_000;
export const CHUNK_BYTES = 5_242_880;

/** What the one account of a scene did at TikTok. */
export interface AtTikTok {
  readonly publishes: readonly PublishView[];
  readonly inits: readonly JournalEntry[];
  readonly puts: readonly JournalEntry[];
  /** Posts and drafts that stand. */
  readonly posted: number;
  readonly completeUploads: number;
  readonly resentBytes: number;
}

export type Scene = Awaited<ReturnType<typeof startScene>>;

/** A stage with one account, for one named scenario. */
export async function startScene(options: Omit<StageOptions, 'programs'> = {}) {
  const stage: Stage = await startStage({ programs: inject('chaosPrograms'), ...options });
  await stage.addAccount('acme');
  const post = { title: 'A title', privacyLevel: 'SELF_ONLY' } as const;

  return {
    ...stage,

    async worker(trap?: Trap, more: Omit<StartWorkerOptions, 'traps'> = {}): Promise<ChaosProcess> {
      return await stage.startReadyWorker({ ...more, ...(trap !== undefined && { traps: [trap] }) });
    },

    /** A direct post of a new file. */
    async fileRequest(sizeBytes = THREE_CHUNKS_BYTES): Promise<PublishRequest> {
      const path = await makeVideo(stage.folder, sizeBytes, `${randomUUID()}.mp4`);
      return { account: 'acme', mode: 'direct', media: { type: 'file', path }, post };
    },

    /** The same by another way to the file's bytes. */
    via(request: PublishRequest, way: 'url' | 's3'): PublishRequest {
      if (request.media.type !== 'file') throw new Error('expected a file');
      const { path } = request.media;
      const remote =
        way === 'url'
          ? ({ type: 'url', url: stage.web.url(path) } as const)
          : ({ type: 's3', bucket: 'videos', key: basename(path) } as const);
      return { ...request, media: remote };
    },

    pullRequest(): PublishRequest {
      return { account: 'acme', mode: 'direct', media: { type: 'pull', url: `${PULL_PREFIX}a.mp4` }, post };
    },

    atTikTok(): AtTikTok {
      const { journal } = stage.simulator;
      const publishes = journal.publishes();
      const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
      const standing = publishes.filter(({ status }) => status !== 'FAILED');
      return {
        publishes,
        inits: journal.requests({ endpoint: 'video_init' }),
        puts: journal.requests({ endpoint: 'upload' }),
        posted: standing.filter(({ source, completeUploads }) => source === 'PULL_FROM_URL' || completeUploads > 0)
          .length,
        completeUploads: sum(publishes.map(({ completeUploads }) => completeUploads)),
        resentBytes: sum(publishes.map(({ resentBytes }) => resentBytes)),
      };
    },
  };
}

/** Whether a notice tells that a process owns a job. */
export function claims(id: string): (notice: Notice) => boolean {
  return (notice) => notice.kind === 'claimed' && notice.id === id;
}

/** Whether a notice tells that a trap acts. */
export function isTrapped({ kind }: Notice): boolean {
  return kind === 'trapped';
}
