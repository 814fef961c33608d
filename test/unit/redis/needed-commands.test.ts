import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { QUEUE_NAMES } from '../../../src/ledger/queues/queue-names.ts';
import {
  leastAcl,
  NEEDED_BY_ENQUEUERS,
  NEEDED_BY_SERVICES,
  plainEnqueuerAcl,
} from '../../../src/redis/needed-commands.ts';

const REPOSITORY = new URL('../../../', import.meta.url).pathname;
/** Scripts of BullMQ that nothing of ours calls: its Relay, and wiping a whole queue. */
const NOT_OURS = /^(relay|obliterate|drain)/;

const CALL = /(?:redis\.p?call|rcall)\(\s*["'](\w+)["']/g;
const commandsIn = (text: string) => [...text.matchAll(CALL)].map(([, name = '']) => name.toLowerCase());

async function scriptsOfBullmq(): Promise<string[]> {
  const folder = join(dirname(createRequire(import.meta.url).resolve('bullmq')), 'scripts');
  const names = (await readdir(folder)).filter((name) => /-\d+\.js$/.test(name) && !NOT_OURS.test(name));
  expect(names.length).toBeGreaterThan(30);
  return await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
}

async function sources(): Promise<string[]> {
  const names = await readdir(join(REPOSITORY, 'src'), { recursive: true });
  const files = names.filter((name) => name.endsWith('.ts'));
  return await Promise.all(files.map((name) => readFile(join(REPOSITORY, 'src', name), 'utf8')));
}

describe('the commands that services need', () => {
  it("include every one that our scripts and BullMQ's call", async () => {
    const called = new Set([...(await scriptsOfBullmq()), ...(await sources())].flatMap(commandsIn));
    expect(called.size).toBeGreaterThan(40);
    const needed = [...NEEDED_BY_SERVICES.direct, ...Object.keys(NEEDED_BY_SERVICES.probes)];
    expect([...called].filter((command) => !needed.includes(command)).sort()).toEqual([]);
  });

  it.each([
    ['services', NEEDED_BY_SERVICES],
    ['enqueuers', NEEDED_BY_ENQUEUERS],
  ])('of %s are documented as an ACL', async (_, needed) => {
    const page = await readFile(join(REPOSITORY, 'docs/deployment.md'), 'utf8');
    expect(page).toContain(leastAcl(needed, '{tiktok-publisher}'));
  });

  it('of plain BullMQ clients are documented as an ACL', async () => {
    const page = await readFile(join(REPOSITORY, 'docs/deployment.md'), 'utf8');
    expect(page).toContain(plainEnqueuerAcl('{tiktok-publisher}', QUEUE_NAMES.publish));
  });
});
