import { percentile } from '../../src/core/percentile.ts';

export interface Followed {
  /** What came so far, and delays (ms) between an event and its arrival, of one event in a few. */
  report(): { readonly events: number; readonly p50Ms: number; readonly p99Ms: number };
}

/** Opens streams of all events of the API, and counts what comes. */
export async function followEverything(url: string, streams: number): Promise<Followed> {
  let events = 0;
  const delays: number[] = [];

  async function read(body: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const piece of body) {
      const text = decoder.decode(piece, { stream: true });
      events += text.split('\nevent: ').length - 1;
      const time = /"time":"([^"]+)"/.exec(text)?.[1];
      if (time !== undefined) delays.push(Date.now() - Date.parse(time));
    }
  }

  for (let stream = 0; stream < streams; stream += 1) {
    const { body, status } = await fetch(`${url}/v1/events`);
    if (status !== 200 || body === null) throw new Error(`an event stream was answered with ${status}`);
    void read(body);
  }
  return { report: () => ({ events, p50Ms: percentile(delays, 0.5), p99Ms: percentile(delays, 0.99) }) };
}
