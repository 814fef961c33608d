import { planChunks } from '../../src/core/chunk-plan.ts';
import { newRecord } from '../../src/ledger/change.ts';
import type { LedgerRecord } from '../../src/ledger/record.ts';
import { createMediaOpener } from '../../src/media/open-media.ts';
import { createMetrics } from '../../src/observability/metrics.ts';
import { createTikTokClient } from '../../src/tiktok/index.ts';
import { OwnedJob } from '../../src/workers/owned-job.ts';
import { type ChunkDeps, ChunkLoop } from '../../src/workers/publish/chunk-loop.ts';
import { DEFAULT_RECOVERY } from '../../src/workers/runtime/recovery.ts';
import type { UploadSettings } from '../upload-lab.ts';
import { measured, serveParent, settingsOf } from './parent.ts';

/* One upload as a worker makes it, from opening the video to the last answer. Its ledger keeps nothing. */

const { media, chunkSizeBytes, tiktokUrl, mediaServer } = settingsOf<UploadSettings>();

const opener = createMediaOpener({ allowHosts: ['127.0.0.1'], s3: { endpoint: mediaServer, forcePathStyle: true } });
const metrics = createMetrics();
const tiktok = createTikTokClient({ apiBaseUrl: tiktokUrl, onRequest: metrics.apiRequest });

async function upload(): Promise<void> {
  const source = await opener.open(media);
  const job = new OwnedJob(
    { record: recordOf(source.pin.sizeBytes), around: NOTHING_AROUND },
    ledger,
    performance.now(),
  );
  // What else it takes is for uploads that go wrong.
  const learning = { facts: { change: async () => undefined }, log: { info: () => undefined } };
  const settings = { recovery: DEFAULT_RECOVERY };
  const deps = { ...learning, tiktok, metrics, clock: Date, settings } as unknown as ChunkDeps;
  const never = new AbortController().signal;
  const uploadUrl = `${tiktokUrl}/upload/?upload_id=1`;
  await new ChunkLoop({ job, source, uploadUrl, isNew: true }, deps, { draining: never, signal: never }).run({
    kind: 'at',
    offsetBytes: 0,
  });
  await source.close();
}

const NOTHING_AROUND = {
  ...{ stalls: 0, hasTurn: true, polledJobs: 0, webhooksArrive: false, isNewcomer: false, facts: {} },
  ...{ statusCallAt: undefined, isPoll: false, sweepAt: undefined },
};

const ledger: ConstructorParameters<typeof OwnedJob>[1] = {
  commit: async (record, { patch }) => ({ ...record, ...patch }),
  commitAndLeave: async (record) => ({ record, jobsToWake: [] }),
  note: async () => undefined,
  confirm: async () => undefined,
};

function recordOf(totalBytes: number): LedgerRecord {
  const request = { account: 'creator', mode: 'inbox', media } as const;
  return {
    ...newRecord({ id: 'job', request, now: Date.now() }),
    ...{ state: 'uploading', session: { kind: 'upload', publishId: '1' } },
    ...{ totalBytes, chunkSizeBytes: planChunks(totalBytes, chunkSizeBytes).chunkSizeBytes },
  };
}

serveParent({ upload: () => measured(upload) });
