import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import { accountWish } from './accounts.ts';
import { type Answer, json } from './answers.ts';
import { ENDPOINTS, faultRuleSchema, matchesFilter } from './faults.ts';
import { readBody, writeAnswer } from './http-exchange.ts';
import type { JournalEntry } from './journal.ts';
import { reportConformance } from './judge-outcomes.ts';
import { webhookTargetSchema } from './options.ts';
import type { World } from './world.ts';

/** Where the control plane lives; TikTok has no such path. */
export const CONTROL_PREFIX = '/__simulator';

const userWish = z.strictObject({ openId: z.string().min(1) });
const settleWish = z.strictObject({ publishId: z.string(), failReason: z.string().optional() });
const postDraftWish = z.strictObject({ publishId: z.string(), isPublic: z.boolean().default(true) });
const webhooksWish = z.strictObject({ target: webhookTargetSchema.nullable() });
const journalQuery = z.strictObject({
  endpoint: z.enum(ENDPOINTS).exactOptional(),
  openId: z.string().exactOptional(),
  publishId: z.string().exactOptional(),
  code: z.string().exactOptional(),
  /** Only entries later than this one. */
  afterSeq: z.coerce.number().int().min(0).default(0),
  /** Waits so long for a first entry before it answers with none. */
  waitMs: z.coerce.number().int().min(0).max(60_000).default(0),
});

type Control = (world: World, body: unknown, query: URLSearchParams) => unknown;

const CONTROLS: Record<string, Control> = {
  'GET ': () => ({
    name: 'TikTok simulator',
    about: 'Imitates the TikTok Content Posting API v2 for tests. Nothing is published. See docs/simulator.md.',
    controls: Object.keys(CONTROLS).map((control) => control.replace(' ', ` ${CONTROL_PREFIX}`)),
  }),
  'GET /health': (world) => ({ status: 'ok', now: world.now() }),
  'POST /accounts': (world, body) => world.accounts.add(accountWish.parse(body)),
  'PATCH /accounts': (world, body) => {
    const { openId = '', ...change } = accountWish.parse(body);
    world.accounts.update(openId, change);
  },
  'POST /faults': (world, body) => ({ id: world.faults.add(faultRuleSchema.parse(body)).id }),
  'DELETE /faults': (world) => world.faults.clear(),
  'GET /journal': async (world, _body, query) => {
    const { afterSeq, waitMs, ...filter } = journalQuery.parse(Object.fromEntries(query));
    const isWanted = (entry: JournalEntry) => entry.seq > afterSeq && matchesFilter(entry, filter);
    if (waitMs > 0) await world.journal.waitFor(isWanted, { timeoutMs: waitMs }).catch(() => undefined);
    return world.journal.entries.filter(isWanted);
  },
  'GET /conformance': (world) => reportConformance(world),
  'GET /publishes': (world) => world.journal.publishes(),
  'GET /posts': (world) => world.journal.posts(),
  'POST /expire-token': (world, body) => world.accounts.expireAccessToken(userWish.parse(body).openId),
  'POST /revoke-grant': (world, body) => world.revokeGrant(userWish.parse(body).openId),
  'POST /settle': (world, body) => {
    const { publishId, failReason } = settleWish.parse(body);
    world.settle(publishId, failReason);
  },
  'POST /post-draft': (world, body) => {
    const { publishId, isPublic } = postDraftWish.parse(body);
    return { postId: world.postDraft(publishId, isPublic) };
  },
  'GET /webhooks': (world) => world.webhooks.deliveries,
  'POST /webhooks': (world, body) => world.webhooks.sendTo(webhooksWish.parse(body).target ?? undefined),
  'POST /reset': (world) => world.reset(),
};

/** Serves the control plane: what the library offers as methods, for tests in other processes and languages. */
export async function serveControl(
  world: World,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): Promise<void> {
  const text = await readBody(request);
  const path = url.pathname.slice(CONTROL_PREFIX.length).replace(/\/$/, '');
  const control = CONTROLS[`${request.method} ${path}`];
  writeAnswer(response, control === undefined ? json(404, { error: 'unknown control' }) : await perform());

  async function perform(): Promise<Answer> {
    try {
      const result = await control?.(world, text ? JSON.parse(text) : {}, url.searchParams);
      return json(200, result ?? {});
    } catch (error) {
      return json(400, { error: error instanceof Error ? error.message : String(error) });
    }
  }
}
