import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { pullFindings } from '../../../src/cli/doctor/pull-findings.ts';
import { startSite } from '../../support/connect-site.ts';
import { giveToStranger, STRANGERS } from '../../support/stranger.ts';

async function verificationFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'doctor-pull-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'tiktokAbC123.txt');
  await writeFile(path, 'tiktok-developers-site-verification=AbC123');
  return path;
}

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close().closeAllConnections());
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
}

const find = async (baseUrl: string | undefined, ...verificationFiles: string[]) =>
  await pullFindings({ pull: { baseUrl, verificationFiles } });

describe('the doctor on the address from which TikTok downloads media', () => {
  it('says nothing where there is none', async () => {
    expect(await find(undefined)).toEqual([]);
  });

  it('finds the web server, its verification file, and that TikTok wants https', async () => {
    const path = await verificationFile();
    const { url } = await startSite({ PUBLIC_BASE_URL: 'http://127.0.0.1:1', TIKTOK_VERIFICATION_FILES: path });
    const https = 'TikTok downloads over https only, and PUBLIC_BASE_URL is';
    expect(await find(url, path)).toMatchObject([{ level: 'problem', message: `${https} ${url}` }]);
    expect(await find(url)).toMatchObject([{ level: 'advice', message: `${https} ${url}` }]);
    const { status, headers } = await fetch(`${url}/pull/tiktokAbC123.txt`);
    expect([status, headers.get('content-type')]).toEqual([200, 'text/plain; charset=utf-8']);
  });

  it('refuses a verification file that a stranger may have written', async () => {
    const path = await verificationFile();
    await giveToStranger(path);
    await expect(startSite({ PUBLIC_BASE_URL: 'http://127.0.0.1:1', TIKTOK_VERIFICATION_FILES: path })).rejects.toThrow(
      STRANGERS,
    );
  });

  it.each<[string, string, RequestListener]>([
    ['a redirect', 'redirects', (_, response) => response.writeHead(302, { location: 'https://example.com' }).end()],
    [
      'another server',
      'does not lead to this web server: HTTP 404',
      (_, response) => response.writeHead(404).end('no'),
    ],
    ['a login', 'does not lead to this web server: HTTP 401', (_, response) => response.writeHead(401).end()],
  ])('names %s', async (_name, message, listener) => {
    const [finding] = await find(await serve(listener));
    expect(finding).toMatchObject({ check: 'pull', level: 'advice', message: expect.stringContaining(message) });
  });

  it('names a proxy that drops ranges, a server that lacks the file, and one that is not there', async () => {
    const path = await verificationFile();
    const withoutFile = await startSite({ PUBLIC_BASE_URL: 'http://127.0.0.1:1' });
    expect(await find(withoutFile.url, path)).toMatchObject([
      { level: 'problem', message: expect.stringMatching(/404$/) },
    ]);
    const whole = await serve((_, response) => response.end('tiktok-publisher gives media to TikTok here'));
    expect(await find(whole)).toMatchObject([{ message: `${whole}/pull/ ignores ranges` }]);
    expect(await find('http://127.0.0.1:1', path)).toMatchObject([
      { message: expect.stringContaining('ECONNREFUSED') },
    ]);
  });
});
