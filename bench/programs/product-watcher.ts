import { createPublisher, type PublishJob } from '../../src/producers/index.ts';
import { type Followed, followEverything } from './follow.ts';
import { serveParent, settingsOf } from './parent.ts';

/* Another app that waits for the outcomes of jobs. */

const { redisUrl, queuePrefix } = settingsOf<{ redisUrl: string; queuePrefix: string }>();
const publisher = createPublisher({ redisUrl, queuePrefix });
let waiting: Promise<PublishJob>[] = [];
let followed: Followed | undefined;

serveParent({
  watch(ids: readonly string[]) {
    waiting = ids.map((id) => publisher.waitForCompletion(id));
  },
  /** Opens streams of all events. */
  async follow({ url, streams }: { url: string; streams: number }) {
    followed = await followEverything(url, streams);
  },
  followed: () => followed?.report(),
  async ended() {
    await Promise.all(waiting);
  },
});
