import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { type Simulator, type SimulatorOptions, startSimulator } from '../../src/simulator/index.ts';
import { call, dataText, directPost, put } from './api-calls.ts';

let running: Simulator[] = [];
const start = async (options: SimulatorOptions = {}) => {
  const simulator = await startSimulator(options);
  running.push(simulator);
  return simulator;
};
afterEach(async () => {
  await Promise.all(running.map((simulator) => simulator.close()));
  running = [];
});

describe('direct post', () => {
  it('publishes an uploaded file and names it once processed', async () => {
    let now = 1_000_000;
    const simulator = await start({ clock: { now: () => now } });
    const account = simulator.addAccount();
    const bytes = Buffer.from('not really a video');
    const init = await call(
      simulator,
      account,
      'video_init',
      directPost(bytes.length, { privacy_level: 'PUBLIC_TO_EVERYONE', title: 'Hello' }),
    );
    expect(init.status).toBe(200);
    const publishId = dataText(init, 'publish_id');
    expect(publishId).toMatch(/^v_pub_file~v2-1\.\d{19}$/);

    const uploaded = await put(dataText(init, 'upload_url'), bytes, 0, bytes.length);
    expect(uploaded.status).toBe(201);
    expect(uploaded.headers['content-range']).toBe(`bytes 0-${bytes.length - 1}/${bytes.length}`);

    const processing = await call(simulator, account, 'status', { publish_id: publishId });
    expect(processing.json.data).toEqual({ status: 'PROCESSING_UPLOAD', uploaded_bytes: bytes.length });
    now += 300;
    const complete = await call(simulator, account, 'status', { publish_id: publishId });
    expect(complete.text).toMatch(/"publicaly_available_post_id":\[7\d{18}\]/);

    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const [post] = simulator.journal.posts();
    expect(post).toMatchObject({ publishId, title: 'Hello', sha256, openId: account.openId, at: 1_000_300 });
    expect(complete.text).toContain(`[${post?.postId}]`);
    expect(simulator.journal.publishes()).toMatchObject([
      {
        publishId,
        acceptedBytes: bytes.length,
        resentBytes: 0,
        completeUploads: 1,
        sha256,
        status: 'PUBLISH_COMPLETE',
      },
    ]);
  });
});
