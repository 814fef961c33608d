import { resolve } from 'node:path';
import { createPublisher } from 'tiktok-publisher';

const [file = 'assets/demo.mp4', account = 'simulated'] = process.argv.slice(2);
const media = { type: 'file', path: resolve(file) };
const post = { title: 'Hello from another app', privacyLevel: 'SELF_ONLY' };

const publisher = createPublisher();
try {
  const job = await publisher.enqueue({ account, mode: 'direct', media, post }, { idempotencyKey: 'order-1234' });
  const { state, failure } = await publisher.waitForCompletion(job.id);
  console.log(job.id, state, failure?.advice ?? '');
} catch (error) {
  console.error(error.message, error.advice ?? '');
  process.exitCode = 1;
} finally {
  await publisher.close();
}
