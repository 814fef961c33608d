import { expect, it } from 'vitest';
import { z } from 'zod';
import { enqueue, PULL_REQUEST, startApi } from '../support/api-site.ts';
import { fuzz } from '../support/fuzz-run.ts';
import { hostileRequests } from '../support/hostile-requests.ts';
import { type RawAnswer, type RawRequest, sendRaw } from '../support/raw-http.ts';

const API_KEY = 'key-of-the-fuzzer';
const PARALLEL = 8;
/** What tells how the program is made: stacks, files, packages, Redis and its keys. */
const INTERNALS =
  /\bat \S+ \(|\.ts:\d|node_modules|node:internal|\/src\/|ioredis|ReplyError|WRONGTYPE|CROSSSLOT|ECONN|\bLua\b|\{test|\bzod\b/i;
const problem = z.object({
  status: z.int(),
  code: z.string().regex(/^[A-Z][A-Z_]+$/),
  title: z.string(),
  detail: z.string(),
});

it('answers whatever is sent with what it is asked or a problem document, and lives on', {
  timeout: 3_600_000,
}, async () => {
  const api = await startApi({
    ...{ API_KEYS: API_KEY, MEDIA_ROOTS: '/nowhere' },
    ...{ PUBLIC_BASE_URL: 'https://a.example', CONNECT_RETURN_ORIGINS: 'https://app.example.com' },
  });
  const id = await enqueueWithKey();
  const statuses = new Map<number, number>();
  await fuzz({
    what: 'REST requests',
    count: { short: 3_000, long: 100_000 },
    inputs: hostileRequests({ id, apiKey: API_KEY, webhookSecret: api.simulator.clientSecret }),
    parallel: PARALLEL,
    async attempt(request) {
      const answer = await sendRaw(api.url, request);
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      expectGood(request, answer);
    },
  });
  process.stdout.write(
    `fuzz: ${[...statuses]
      .sort()
      .map(([status, times]) => `${status}: ${times}`)
      .join(', ')}\n`,
  );
  expect((await fetch(`${api.url}/readyz`)).status).toBe(200);
  expect(await enqueueWithKey()).not.toBe(id);
  // It has got through to everything: what is right, what is unknown, what is refused.
  for (const status of [200, 202, 400, 401, 404, 405, 415]) expect([...statuses.keys()]).toContain(status);

  async function enqueueWithKey(): Promise<string> {
    return await enqueue(
      { ...api, call: (method, path, body) => api.call(method, path, body, { authorization: `Bearer ${API_KEY}` }) },
      PULL_REQUEST,
    );
  }
});

function expectGood(request: RawRequest, { status, headers, body }: RawAnswer): void {
  const sent = `${request.head}\n\n${request.body.toString().slice(0, 1_000)}`;
  expect(status, `${sent}\n\n-> ${body}`).toBeLessThan(500);
  expect(status, sent).toBeGreaterThanOrEqual(200);
  if (status < 400 || request.head.startsWith('HEAD ')) return;
  expect(withoutEcho(body, request), sent).not.toMatch(INTERNALS);
  // People with a browser are told in a page.
  if (headers.get('content-type')?.startsWith('text/html') && request.head.includes(' /connect/tiktok')) return;
  expect(headers.get('content-type'), sent).toBe('application/problem+json; charset=utf-8');
  expect(problem.parse(JSON.parse(body)).status, sent).toBe(status);
}

/** The path that was asked for may come back in the words of a 404, the names of fields in its problems. */
function withoutEcho(body: string, { head }: RawRequest): string {
  const path = head.split(' ')[1]?.split('?')[0] ?? '';
  const withoutFields = body.replaceAll(/"path":"(?:[^"\\]|\\.)*"/g, '');
  return withoutFields.split(JSON.stringify(path).slice(1, -1)).join('');
}
