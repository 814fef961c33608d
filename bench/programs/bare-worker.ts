import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { DelayedError, Queue, Worker } from 'bullmq';
import { Agent, request } from 'undici';
import { cpuMs, serveParent, settingsOf } from './parent.ts';

/* The baseline: the same two queues, HTTP calls and file on bare BullMQ and undici. Nothing is safe here. */

const { redisUrl, tiktokUrl, concurrency, pollMs } = settingsOf<{
  redisUrl: string;
  tiktokUrl: string;
  concurrency: number;
  pollMs: readonly number[];
}>();
const connection = { url: redisUrl };
const kept = { removeOnComplete: { age: 86_400 }, removeOnFail: { age: 86_400 } };
const dispatcher = new Agent();

async function post(path: string, body: unknown): Promise<{ publish_id: string; upload_url: string; status: string }> {
  const headers = { authorization: 'Bearer token', 'content-type': 'application/json; charset=UTF-8' };
  const { body: answer } = await request(`${tiktokUrl}${path}`, {
    ...{ method: 'POST', headers, body: JSON.stringify(body), dispatcher },
  });
  return ((await answer.json()) as { data: { publish_id: string; upload_url: string; status: string } }).data;
}

async function upload({ media, post: info }: { media: { path: string }; post: unknown }): Promise<string> {
  const { size } = await stat(media.path);
  const { publish_id: publishId, upload_url: url } = await post('/v2/post/publish/video/init/', {
    post_info: info,
    source_info: { source: 'FILE_UPLOAD', video_size: size, chunk_size: size, total_chunk_count: 1 },
  });
  const headers = {
    'content-type': 'video/mp4',
    'content-length': String(size),
    'content-range': `bytes 0-${size - 1}/${size}`,
  };
  const { body } = await request(url, { method: 'PUT', headers, body: createReadStream(media.path), dispatcher });
  await body.dump();
  return publishId;
}

const statusQueue = new Queue('status', { connection });

serveParent({
  cpuMs,
  start() {
    new Worker(
      'publish',
      async (job) => {
        const publishId = await upload(job.data);
        await statusQueue.add('status', { publishId }, { jobId: job.id ?? '', delay: pollMs[0] ?? 0, ...kept });
      },
      { connection, concurrency, ...kept },
    );
    new Worker(
      'status',
      async (job, token) => {
        const { status } = await post('/v2/post/publish/status/fetch/', { publish_id: job.data.publishId });
        if (status === 'PUBLISH_COMPLETE') return;
        await job.moveToDelayed(Date.now() + (pollMs[job.attemptsStarted] ?? pollMs.at(-1) ?? 0), token);
        throw new DelayedError();
      },
      { connection, concurrency, ...kept },
    );
  },
});
