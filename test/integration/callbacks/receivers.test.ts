import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it, onTestFinished } from 'vitest';
import { pathInRepository } from '../../support/build.ts';
import { SECRETS, startCallbackWorld } from './callback-world.ts';

/** The JavaScript in docs/callbacks.md that contains this. */
async function documented(part: string): Promise<string> {
  const page = await readFile(pathInRepository('docs/callbacks.md'), 'utf8');
  const [code = ''] = [...page.matchAll(/```js\n([^`]*(?:`[^`]+`[^`]*)*?)```/g)].flatMap(([, block = '']) =>
    block.includes(part) ? [block] : [],
  );
  expect(code).toContain(part);
  return code;
}

type Request = IncomingMessage & { text?: string; body?: unknown };
/** A callback as an Express app receives it that keeps the text as the documentation says. */
async function receiveOne() {
  const app = express();
  new Function('app', 'express', await documented('express.json({ verify'))(app, express);
  const taken = new Promise<Request>((resolve) => {
    app.post('/hook', (request, response) => {
      resolve(request);
      response.sendStatus(204);
    });
  });
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const world = await startCallbackWorld();
  onTestFinished(() => world.close());
  await world.createJob('j', `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`);
  return await taken;
}

const theEvent = expect.objectContaining({ id: 'j-1-1', type: 'publish.queued', subject: 'j' });

/** Code that n8n runs: in an async function, beside its own names. */
const compileForN8n = (code: string) =>
  new Function('require', '$input', `return (async function () { ${code} }).call(this)`) as (
    this: unknown,
    require: unknown,
    input: unknown,
  ) => Promise<unknown>;

/** An item as n8n's Webhook node makes it with Raw Body on, handed to the Code node of the documentation. */
async function runN8n(headers: IncomingHttpHeaders, text: string, secret: string): Promise<unknown> {
  const code = (await documented('getBinaryDataBuffer')).replace('whsec_…', secret);
  const helpers = { getBinaryDataBuffer: async () => Buffer.from(text) };
  const input = { first: () => ({ json: { headers, body: JSON.parse(text) } }) };
  return await compileForN8n(code).call({ helpers }, createRequire(import.meta.url), input);
}

describe('a callback', () => {
  it('is verified by an Express app that parses JSON, as docs/callbacks.md has it', async () => {
    const { text = '', headers, body } = await receiveOne();
    expect(body).toEqual(theEvent);
    for (const secret of SECRETS)
      expect(new Webhook(secret).verify(text, headers as Record<string, string>)).toEqual(theEvent);
  });

  it('is verified by n8n in its raw-body mode, as docs/callbacks.md has it, and a forged one is not', async () => {
    const { text = '', headers } = await receiveOne();
    for (const secret of SECRETS) expect(await runN8n(headers, text, secret)).toEqual([{ json: theEvent }]);
    const other = `whsec_${Buffer.alloc(32, 3).toString('base64')}`;
    await expect(runN8n(headers, text, other)).rejects.toThrow('not a callback of ours');
    await expect(runN8n(headers, text.replace('queued', 'failed'), SECRETS[0] ?? '')).rejects.toThrow('not a callback');
    const old = { ...headers, 'webhook-timestamp': '1700000000' };
    await expect(runN8n(old, text, SECRETS[0] ?? '')).rejects.toThrow('not a callback of ours');
  });
});
