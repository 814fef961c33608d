import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { generateApi } from 'swagger-typescript-api';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { type Api, startApi } from '../../support/api-site.ts';

const TSC = join(dirname(fileURLToPath(import.meta.resolve('typescript/package.json'))), 'bin/tsc');
const TSC_OPTIONS = [
  ...['--strict', '--target', 'es2022', '--lib', 'es2022,dom,dom.iterable'],
  ...['--module', 'esnext', '--moduleResolution', 'bundler', '--rewriteRelativeImportExtensions'],
  ...['--types', 'node', '--typeRoots', fileURLToPath(new URL('../../../node_modules/@types', import.meta.url))],
];

/** What somebody writes who has nothing but the generated client. */
const PROGRAM = `
import { Api, type PublishJob, type PublishRequest, PublishState } from './client.ts';

export async function use(baseUrl: string, key: string) {
  const api = new Api<string>({
    baseUrl,
    securityWorker: (key) => ({ headers: { authorization: \`Bearer \${key}\` } }),
  });
  api.setSecurityData(key);
  const { data: account } = await api.v1.putAccount('acme', { openId: 'user-one', accessToken: 'act.one' });
  const { data: link } = await api.v1.createConnectLink({ account: 'acme', expiresInMs: 60_000 });
  const request: PublishRequest = {
    account: account.account,
    mode: 'direct',
    media: { type: 'pull', url: 'https://media.example.com/spring.mp4' },
    post: { title: 'Hello', privacyLevel: 'SELF_ONLY' },
  };
  const first = await api.v1.enqueuePublish(request, { headers: { 'idempotency-key': 'spring-7' } });
  const again = await api.v1.enqueuePublish(request, { headers: { 'idempotency-key': 'spring-7' } });
  const { data: job } = await api.v1.getPublish(first.data.id);
  const { data: page } = await api.v1.listPublishes({ account: 'acme', state: [PublishState.Queued], limit: 10 });
  const cancelled: PublishJob = (await api.v1.cancelPublish(job.id)).data;
  const refused = await api.v1.retryPublish(job.id).catch((answer) => answer.error);
  const { data: accounts } = await api.v1.listAccounts();
  return {
    statuses: [first.status, again.status],
    sameJob: again.data.id === job.id && !again.data.created,
    listed: page.jobs.map(({ id }) => id).includes(job.id),
    states: [job.state, cancelled.state],
    refusal: refused.code,
    link: [link.account, link.returnTo],
    accounts: accounts.accounts.map(({ openId }) => openId),
  };
}
`;

/** The validator that comes with the generator. */
const parser = z
  .custom<{ validate: (document: unknown) => Promise<unknown> }>((found) => typeof found === 'function')
  .parse(createRequire(import.meta.resolve('swagger-typescript-api'))('@apidevtools/swagger-parser'));

const programSchema = z.object({ use: z.custom<(url: string, key: string) => Promise<unknown>>() });

async function documentOf(api: Api): Promise<Record<string, unknown>> {
  return z.record(z.string(), z.unknown()).parse((await api.call('GET', '/openapi.json')).body);
}

describe('/openapi.json', () => {
  it('is valid, and describes every operation and field for people', async () => {
    const document = await documentOf(await startApi({ API_KEYS: 'some-key' }));
    await expect(parser.validate(JSON.parse(JSON.stringify(document)))).resolves.toBeDefined();
    expect(silentParts(document)).toEqual([]);
  });

  it('makes a client that a generator writes and nobody edits', async () => {
    const api = await startApi({ API_KEYS: 'some-key', PUBLIC_BASE_URL: 'https://a.example' });
    const folder = await mkdtemp(join(tmpdir(), 'tiktok-publisher-client-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const input = join(folder, 'openapi.json');
    await writeFile(input, JSON.stringify(await documentOf(api)));
    await generateApi({ input, output: folder, fileName: 'client.ts', httpClientType: 'fetch', silent: true });
    await writeFile(join(folder, 'package.json'), '{"type": "module"}');
    await writeFile(join(folder, 'program.ts'), PROGRAM);
    await promisify(execFile)(process.execPath, [TSC, ...TSC_OPTIONS, '--outDir', join(folder, 'out'), 'program.ts'], {
      cwd: folder,
    }).catch((error: { stdout: string }) => expect(error.stdout).toBe(''));
    const { use } = programSchema.parse(await import(pathToFileURL(join(folder, 'out/program.js')).href));
    expect(await use(api.url, 'some-key')).toEqual({
      ...{ statuses: [202, 200], sameJob: true, listed: true, refusal: 'JOB_NOT_RETRYABLE' },
      ...{ states: ['queued', 'cancelled'], accounts: ['user-one'], link: ['acme', null] },
    });
  });
});

/** Paths of operations, parameters, answers and fields without a description. */
function silentParts(document: unknown, path = ''): string[] {
  if (Array.isArray(document)) return document.flatMap((item, index) => silentParts(item, `${path}/${index}`));
  if (typeof document !== 'object' || document === null || path.endsWith('/examples')) return [];
  return Object.entries(document).flatMap(([key, value]) => {
    const here = `${path}/${key}`;
    const isDescribed = typeof value !== 'object' || value === null || 'description' in value || '$ref' in value;
    const isField = /\/properties$/.test(path) && !/\/type$/.test(here);
    const isPart = isField || /\/(responses|schemas|securitySchemes)$/.test(path) || /\/parameters$/.test(path);
    return [...(isPart && !isDescribed && !hasDescribedRef(value) ? [here] : []), ...silentParts(value, here)];
  });
}

/** A field that is another schema, or null, is described there. */
function hasDescribedRef(value: unknown): boolean {
  return JSON.stringify(value).includes('"$ref"');
}
