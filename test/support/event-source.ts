import { onTestFinished, type TestContext } from 'vitest';
import { z } from 'zod';

const eventSchema = z.looseObject({ id: z.string(), type: z.string(), subject: z.string() });

/** What a stream of server-sent events said once. */
export interface ServerSentEvent {
  readonly id: string;
  readonly type: string;
  readonly event: z.infer<typeof eventSchema>;
}

/** Opens a stream of server-sent events; closed after the test. */
export async function openEvents(
  url: string,
  headers: Record<string, string> = {},
  test: Pick<TestContext, 'onTestFinished'> = { onTestFinished },
) {
  const leaving = new AbortController();
  test.onTestFinished(() => leaving.abort());
  const answer = await fetch(url, { headers, signal: leaving.signal });
  const texts = (answer.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]();
  let buffer = '';

  /** The next block; undefined at the end. */
  async function nextBlock(): Promise<string | undefined> {
    for (;;) {
      const end = buffer.indexOf('\n\n');
      if (end >= 0) {
        const block = buffer.slice(0, end);
        buffer = buffer.slice(end + 2);
        return block;
      }
      const { done, value } = await texts.next();
      if (done === true) return undefined;
      buffer += value;
    }
  }

  return {
    status: answer.status,
    headers: answer.headers,
    leave: () => leaving.abort(),
    /** The next event; undefined once the server has ended the stream. */
    async next(): Promise<ServerSentEvent | undefined> {
      for (;;) {
        const block = await nextBlock();
        if (block === undefined) return undefined;
        const fields = new Map(
          block.split('\n').map((line) => {
            const [name = '', ...value] = line.split(': ');
            return [name, value.join(': ')] as const;
          }),
        );
        const data = fields.get('data');
        if (data === undefined) continue;
        const event = eventSchema.parse(JSON.parse(data));
        return { id: fields.get('id') ?? '', type: fields.get('event') ?? '', event };
      }
    },
  };
}
