import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { eventually } from '../../support/eventually.ts';

const pathOf = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const PROGRAM = `${process.execPath} ${pathOf('dist/bin/tiktok-publisher.js')}`;

let folder: string;
/** What the page calls by its usual address, and where it is in this test. */
let addresses: Map<string, string>;
const closers: (() => Promise<void>)[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tiktok-publisher-quick-start-'));
  addresses = new Map();
  for (const name of ['assets', 'examples']) await symlink(pathOf(name), join(folder, name));
});

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  await rm(folder, { recursive: true, force: true });
});

/** The shell commands of a page, each block as it stands there. */
async function commandsOf(page: string): Promise<string[]> {
  const blocks = (await readFile(pathOf(page), 'utf8')).matchAll(/^```sh\n([\s\S]*?)^```/gm);
  return [...blocks].map(([, block = '']) => block);
}

/** The one block that holds `text`. */
async function commandWith(text: string): Promise<string> {
  const found = (await commandsOf('docs/quick-start-developer.md')).filter((block) => block.includes(text));
  expect(found, text).toHaveLength(1);
  return found.join('');
}

/** A terminal in the reader's folder. */
function terminal(script: string, env: Record<string, string> = {}) {
  let text = script.replaceAll('npx tiktok-publisher', PROGRAM).replaceAll(/^npm run setup\n/gm, '');
  for (const [usual, here] of addresses) text = text.replaceAll(usual, here);
  const { PATH = '', HOME = '' } = process.env;
  // The shell becomes the last command, so that signals reach it.
  const child = spawn('bash', ['-ec', text], { cwd: folder, env: { PATH, HOME, ...env } });
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (part: string) => {
      printed += part;
    });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  closers.push(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  return {
    printed: () => printed,
    ended,
    async untilPrinted(pattern: RegExp): Promise<string> {
      await eventually(() => expect(printed).toMatch(pattern));
      return pattern.exec(printed)?.[1] ?? '';
    },
  };
}

async function run(script: string): Promise<string> {
  const { ended, printed } = terminal(script);
  expect(await ended, printed()).toBe(0);
  return printed();
}

const jobAnswer = z.looseObject({ id: z.string(), state: z.string() });

/** The status and the job of an answer that `curl -i` printed. */
function answerOf(printed: string): { status: number; job: z.infer<typeof jobAnswer> } {
  const [, status] = /^HTTP\/1\.1 (\d+)/m.exec(printed) ?? [];
  return { status: Number(status), job: jobAnswer.parse(JSON.parse(printed.slice(printed.indexOf('{"')))) };
}

describe('the quick start for developers', () => {
  it('leads to a service, a job from curl that is no second one, one from Node, and a callback that is verified', async () => {
    const simulator = terminal((await commandWith('simulator --port')).replace('--port 4010', '--port 0'));
    addresses.set('http://127.0.0.1:4010', await simulator.untilPrinted(/Simulated TikTok at (http:\S+)/));
    await run(await commandWith('cat > .env'));
    const addAccount = await simulator.untilPrinted(/^(echo '.*' \\\n.*)$/m);
    await run(addAccount.replace('| tiktok-publisher', '| npx tiktok-publisher'));
    const service = terminal(`exec ${await commandWith('tiktok-publisher start')}`, { PORT: '0' });
    addresses.set('http://127.0.0.1:3000', await service.untilPrinted(/Board (http:\S+)\/board/));

    const enqueue = await commandWith('idempotency-key: order-1');
    const first = answerOf(await run(enqueue));
    expect(first.status).toBe(202);
    const again = answerOf(await run(enqueue));
    expect(again).toMatchObject({ status: 200, job: { id: first.job.id } });
    const look = `ID=${first.job.id}\n${await commandWith('/v1/publishes/$ID')}`;
    await eventually(async () => expect(await run(look)).toContain('"state":"published"'), {
      timeoutMs: 90_000,
      intervalMs: 500,
    });

    expect(await run(await commandWith('examples/enqueue.mjs'))).toMatch(/^[\w-]+ published/);

    const receiver = terminal(`exec ${await commandWith('examples/receive-callbacks.mjs')}`, { CALLBACK_PORT: '0' });
    addresses.set('http://127.0.0.1:4020', await receiver.untilPrinted(/receiving at (http:\S+)/));
    const calling = jobAnswer.parse(
      JSON.parse((await run(`${await commandWith('callbackUrl')}`)).replace(/^[^{]*/, '')),
    );
    for (const type of ['queued', 'published'])
      await receiver.untilPrinted(new RegExp(`verified publish\\.${type} ${calling.id}`));
    expect(receiver.printed()).not.toContain('refused');
  });
});

describe('the receiver of callbacks', () => {
  it('verifies what is signed with its secret, and refuses the rest', async () => {
    const secret = `whsec_${randomBytes(32).toString('base64')}`;
    const script = 'exec node examples/receive-callbacks.mjs';
    const receiver = terminal(script, { CALLBACK_SECRETS: `${secret},whsec_b2xk`, CALLBACK_PORT: '0' });
    const url = await receiver.untilPrinted(/receiving at (\S+)/);
    const body = JSON.stringify({ type: 'publish.published', subject: 'job-1' });
    const at = new Date();
    const deliver = async (signature: string) => {
      const headers = {
        'webhook-id': 'event-1',
        'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
        'webhook-signature': signature,
      };
      return (await fetch(url, { method: 'POST', headers, body })).status;
    };
    expect(await deliver(new Webhook(secret).sign('event-1', at, body))).toBe(204);
    await receiver.untilPrinted(/verified publish\.published job-1/);
    expect(await deliver(new Webhook(`whsec_${randomBytes(32).toString('base64')}`).sign('event-1', at, body))).toBe(
      400,
    );
    await receiver.untilPrinted(/refused/);
  });
});
