import { orLate } from '../../core/deadline.ts';
import { SECOND_MS } from '../../core/units.ts';
import type { EventFeed } from '../../producers/publisher.ts';

/** Often enough for proxies that hang up on what is silent for half a minute. */
const HEARTBEAT_MS = 15 * SECOND_MS;
/** How long a client is to wait before it connects again. */
const RECONNECT_MS = 3 * SECOND_MS;

/**
 * Events in the format of server-sent events (html.spec.whatwg.org/multipage/server-sent-events.html, read 2026-11-22):
 * `id` is the cursor, `event` the type. One event is fetched when the one before was taken, so a client that reads slowly
 * costs no memory. While nothing happens, comments keep the connection alive and ids say how far the feed has come, so that
 * a client that connects again does not begin far back.
 */
export async function* renderEvents(
  feed: EventFeed,
  { heartbeatMs = HEARTBEAT_MS }: { readonly heartbeatMs?: number } = {},
): AsyncGenerator<string> {
  // Sent at once, so that the client knows that it is connected.
  yield `retry: ${RECONNECT_MS}\n\n`;
  let next = feed.next();
  for (;;) {
    const outcome = await orLate(next, { withinMs: heartbeatMs, late: () => 'quiet' as const });
    if (outcome === 'quiet') {
      yield `: still there\nid: ${feed.cursor}\n\n`;
      continue;
    }
    if (outcome.done === true) return;
    const { cursor, event } = outcome.value;
    yield `id: ${cursor}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
    next = feed.next();
  }
}
