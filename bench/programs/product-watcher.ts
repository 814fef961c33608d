import { createPublisher, type PublishJob } from '../../src/producers/index.ts';
import { serveParent, settingsOf } from './parent.ts';

/* Another app that waits for the outcomes of jobs. */

const { redisUrl, queuePrefix } = settingsOf<{ redisUrl: string; queuePrefix: string }>();
const publisher = createPublisher({ redisUrl, queuePrefix });
let waiting: Promise<PublishJob>[] = [];

serveParent({
  watch(ids: readonly string[]) {
    waiting = ids.map((id) => publisher.waitForCompletion(id));
  },
  async ended() {
    await Promise.all(waiting);
  },
});
