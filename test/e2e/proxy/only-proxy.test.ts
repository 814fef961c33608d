import { readFile } from 'node:fs/promises';
import { afterEach, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { DEMO_VIDEO } from '../../../src/media/shipped-videos.ts';
import { startCallbackReceiver } from '../../support/callback-receiver.ts';
import { startForwardProxy } from '../../support/forward-proxy.ts';
import { startHostileMediaServer } from '../../support/hostile-media-server.ts';
import { startTlsFront } from '../../support/tls-front.ts';
import {
  addAccount,
  answerOf,
  endCommands,
  freshEnvironment,
  runCommand,
  startCommand,
  startTikTok,
} from '../cli/command.ts';

afterEach(endCommands);

const originOf = (url: string) => new URL(url).origin;
const jobDocument = z.looseObject({ id: z.string(), state: z.string() });

/** TikTok, a media server, object storage and an app on the internet, which only a proxy reaches. */
async function startInternet() {
  const { simulator, settings: direct } = await startTikTok();
  const media = await startHostileMediaServer(await readFile(DEMO_VIDEO));
  onTestFinished(media.close);
  const app = await startCallbackReceiver();
  onTestFinished(app.close);
  const front = await startTlsFront({
    'tiktok.example': simulator.url,
    'media.example': media.origin,
    'storage.example': media.origin,
    'app.example': originOf(app.url),
  });
  const proxy = await startForwardProxy(front.port);
  const settings = {
    ...direct,
    HTTPS_PROXY: proxy.url,
    TIKTOK_API_BASE_URL: 'https://tiktok.example',
    ...{ S3_ENDPOINT: 'https://storage.example', S3_REGION: 'x', S3_FORCE_PATH_STYLE: 'true' },
    ...{ AWS_ACCESS_KEY_ID: 'of-a-test', AWS_SECRET_ACCESS_KEY: 'of-a-test' },
  };
  return { simulator, app, proxy, env: freshEnvironment(settings), trusting: { NODE_EXTRA_CA_CERTS: front.caFile } };
}

it('where only a proxy leads out, everything is done over TLS through it: TikTok, media, object storage, callbacks', async () => {
  const { simulator, app, proxy, env, trusting } = await startInternet();
  const doctor = await answerOf(['doctor'], env);
  expect(doctor.exitCode).toBe(3);
  // Without its authority TLS refuses: the proxy does not stand in for the host.
  expect(doctor.stdout).toMatch(/^fail +tiktok +https:\/\/tiktok\.example cannot be reached: .*UNABLE_TO_VERIFY/m);
  const all = { ...env, ...trusting };
  await addAccount(simulator, 'acme', env);
  expect(await runCommand(['doctor'], all)).toMatchObject({ exitCode: 0 });
  await startCommand(['start', '--json'], all).document();
  const publish = async (media: string) => {
    const options = ['--account', 'acme', '--privacy', 'self-only', '--on-duplicate', 'allow', '--wait', '--json'];
    const { stdout } = await runCommand(
      ['publish', media, ...options, '--callback-url', 'https://app.example/hook'],
      all,
    );
    return jobDocument.parse(JSON.parse(stdout));
  };
  const jobs = await Promise.all(['https://media.example/honest/a.mp4', 's3://honest/a.mp4'].map(publish));
  expect(jobs).toMatchObject([{ state: 'published' }, { state: 'published' }]);
  await app.arrived(2);
  expect(simulator.journal.posts()).toHaveLength(2);
  const asked = new Set(proxy.asked.map(({ target }) => target));
  const hosts = ['app.example', 'media.example', 'storage.example', 'tiktok.example'];
  expect([...asked].sort()).toEqual(hosts.map((host) => `${host}:443`));
});
