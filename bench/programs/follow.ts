import { percentile } from '../../src/core/percentile.ts';

export interface Followed {
  /** What came so far, and delays (ms) between an event and its arrival, of one event in a few. */
  report(): { readonly events: number; readonly p50Ms: number; readonly p99Ms: number };
}

/** Bytes that each event has once, found without decoding them: the watcher shares the machine with what is measured. */
const [EVENT, TIME] = [Buffer.from('\nevent: '), Buffer.from('"time":"')];
const TIME_LENGTH = '2026-12-01T10:00:00.000Z'.length;

/** Opens streams of all events of the API, and counts what comes. */
export async function followEverything(url: string, streams: number): Promise<Followed> {
  let events = 0;
  const delays: number[] = [];

  async function read(body: ReadableStream<Uint8Array>): Promise<void> {
    let end = Buffer.alloc(0);
    for await (const piece of body) {
      const bytes = Buffer.concat([end, piece]);
      for (let at = bytes.indexOf(EVENT); at >= 0; at = bytes.indexOf(EVENT, at + EVENT.length)) events += 1;
      // An event may begin at the end of a piece.
      end = bytes.subarray(Math.max(0, bytes.length - EVENT.length + 1));
      const timeAt = bytes.indexOf(TIME);
      if (timeAt < 0) continue;
      const time = Date.parse(bytes.toString('latin1', timeAt + TIME.length, timeAt + TIME.length + TIME_LENGTH));
      if (!Number.isNaN(time)) delays.push(Date.now() - time);
    }
  }

  for (let stream = 0; stream < streams; stream += 1) {
    const { body, status } = await fetch(`${url}/v1/events`);
    if (status !== 200 || body === null) throw new Error(`an event stream was answered with ${status}`);
    void read(body);
  }
  return { report: () => ({ events, p50Ms: percentile(delays, 0.5), p99Ms: percentile(delays, 0.99) }) };
}
