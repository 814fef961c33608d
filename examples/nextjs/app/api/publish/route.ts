// A Next.js route: POST /api/publish enqueues a post, GET /api/publish?id=… returns the job.
// Left out: your users' login. Whoever reaches the route may publish for every account: ask for a session first, and let each user
// name only accounts of their own.
import { basename, resolve } from 'node:path';
import { createPublisher, PublishError, type Publisher } from 'tiktok-publisher';

// The Redis client needs Node; it does not run on the edge.
export const runtime = 'nodejs';
// The job is queried on each request and never cached.
export const dynamic = 'force-dynamic';

// While you develop, Next.js loads this file again at each change. One publisher is enough for all of them.
const kept: { publisher?: Publisher } = globalThis as { publisher?: Publisher };
function publisher(): Publisher {
  kept.publisher ??= createPublisher();
  return kept.publisher;
}

/** Enqueues a post. The client makes one Idempotency-Key per post, and may repeat the request with it. */
export async function POST(request: Request): Promise<Response> {
  try {
    const { account, video, title, privacy } = await request.json();
    const idempotencyKey = request.headers.get('idempotency-key') ?? undefined;
    const job = await publisher().enqueue(
      {
        account,
        mode: 'direct',
        // Never a path from the client: only files in this folder.
        media: { type: 'file', path: resolve(process.env.VIDEO_FOLDER ?? '.', basename(String(video))) },
        post: { title, privacyLevel: privacy },
      },
      idempotencyKey === undefined ? {} : { idempotencyKey },
    );
    return Response.json({ id: job.id, state: job.state }, { status: job.created ? 202 : 200 });
  } catch (error) {
    return refusal(error);
  }
}

/** Shows a job. */
export async function GET(request: Request): Promise<Response> {
  try {
    const job = await publisher().get(new URL(request.url).searchParams.get('id') ?? '');
    if (job === undefined) return Response.json({ code: 'JOB_NOT_FOUND' }, { status: 404 });
    const { id, state, progress, postIds, failure } = job;
    return Response.json({ id, state, progress, postIds, failure });
  } catch (error) {
    return refusal(error);
  }
}

const STATUS: Record<string, number> = { IDEMPOTENCY_CONFLICT: 409, REDIS_UNAVAILABLE: 503 };

function refusal(error: unknown): Response {
  if (error instanceof SyntaxError) return Response.json({ code: 'INPUT_INVALID' }, { status: 400 });
  if (!(error instanceof PublishError)) throw error;
  const { code, message, details } = error;
  return Response.json({ code, message, problems: details.problems ?? [] }, { status: STATUS[code] ?? 400 });
}
