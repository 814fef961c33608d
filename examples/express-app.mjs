// An Express app that publishes videos and receives the outcome in signed callbacks.
// Left out: your users' login. Whoever reaches this port may publish for every account, so it listens on loopback alone. Before you
// open it, ask for a login before /publish, and let each user name only accounts of their own.
import { basename, resolve } from 'node:path';
import express from 'express';
import { Webhook, WebhookVerificationError } from 'standardwebhooks';
import { createPublisher, PublishError } from 'tiktok-publisher';

const { HOST = '127.0.0.1', PORT = '8080', VIDEO_FOLDER = '.', CALLBACK_URL, CALLBACK_SECRET } = process.env;
// The secret is `whsec_…`; without it no callback can be told from a forged one.
const signatures = CALLBACK_SECRET ? new Webhook(CALLBACK_SECRET) : undefined;
const publisher = createPublisher();
const app = express();

app.post('/publish', express.json(), async (request, response) => {
  const { account, video, title, privacy } = request.body ?? {};
  const job = await publisher.enqueue(
    {
      account,
      mode: 'direct',
      // Never a path from the client: only files in this folder.
      media: { type: 'file', path: resolve(VIDEO_FOLDER, basename(String(video))) },
      post: { title, privacyLevel: privacy },
      ...(CALLBACK_URL && { callbackUrl: CALLBACK_URL }),
    },
    // The client makes one key per post, so that it may repeat a request whose answer was lost.
    { idempotencyKey: request.get('Idempotency-Key') },
  );
  const status = job.created ? 202 : 200;
  response.status(status).location(`/publish/${job.id}`).json({ id: job.id, state: job.state });
});

app.get('/publish/:id', async (request, response) => {
  const job = await publisher.get(request.params.id);
  if (job === undefined) response.status(404).json({ code: 'JOB_NOT_FOUND' });
  else
    response.json({ id: job.id, state: job.state, progress: job.progress, postIds: job.postIds, failure: job.failure });
});

// Callbacks arrive at least once. Use a table of your database instead of this set, so that it survives a restart.
const handled = new Set();

// The signature is over the bytes as they came, so the body must not be parsed before.
app.post('/callbacks', express.raw({ type: () => true }), (request, response) => {
  if (signatures === undefined) return response.status(503).end();
  const event = signatures.verify(request.body, request.headers);
  if (!handled.has(event.id)) {
    console.log(event.type, event.subject, event.data.failure?.advice ?? '');
    handled.add(event.id);
  }
  return response.status(204).end();
});

const STATUS = { IDEMPOTENCY_CONFLICT: 409, REDIS_UNAVAILABLE: 503 };

app.use((error, _request, response, _next) => {
  if (error instanceof WebhookVerificationError) response.status(401).end();
  else if (error instanceof PublishError) {
    const { problems = [] } = error.details;
    response.status(STATUS[error.code] ?? 400).json({ code: error.code, message: error.message, problems });
  } else response.status(error.status ?? 500).json({ code: 'INTERNAL_ERROR' });
});

const server = app.listen(Number(PORT), HOST, () => {
  console.log(`listening on http://${HOST}:${server.address().port}`);
});

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => server.close(() => publisher.close()));
}
