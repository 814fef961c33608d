import { resolve } from 'node:path';
import { Queue } from 'bullmq';

const { REDIS_URL, QUEUE_PREFIX = '{tiktok-publisher}' } = process.env;
if (!REDIS_URL) {
  console.error('Set REDIS_URL: that of the service. For an embedded Redis it is in redis-url in DATA_DIR.');
  process.exit(2);
}
const [file = 'assets/demo.mp4', account = 'simulated'] = process.argv.slice(2);
const media = { type: 'file', path: resolve(file) };
const post = { title: 'Hello from plain BullMQ', privacyLevel: 'SELF_ONLY' };

const queue = new Queue('tiktok-publish', { prefix: QUEUE_PREFIX, connection: { url: REDIS_URL } });
await queue.add('publish', { account, mode: 'direct', media, post }, { jobId: 'order-5678' });
await queue.close();
