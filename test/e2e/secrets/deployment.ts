import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { openClient } from '../../../src/app/open-client.ts';
import { loadConfig } from '../../../src/config/load-config.ts';
import { type FaultHandle, startSimulator } from '../../../src/simulator/index.ts';
import { startHostileMediaServer } from '../../support/hostile-media-server.ts';
import type { Evidence, PlantedSecret } from '../../support/secret-search.ts';
import { makeVideo } from '../../support/videos.ts';
import { type RunningCommand, runCommand, startCommand } from '../cli/command.ts';
import type { Trouble } from './troubles.ts';

const announcement = z.looseObject({ url: z.string() });
const redisRecord = z.looseObject({ port: z.number() });
const randomText = () => randomBytes(24).toString('base64url');

export type Deployment = Awaited<ReturnType<typeof openDeployment>>;

/** Programs on an embedded Redis and a simulated TikTok, all of whose secrets are known and whose every word is kept. */
export async function openDeployment() {
  const clientSecret = randomText();
  const simulator = await startSimulator({
    clientSecret,
    processingMs: 20,
    pullMs: 20,
    switches: { pullUrlRules: 'off' },
  });
  const folder = await mkdtemp(join(tmpdir(), 'tiktok-publisher-secrets-'));
  const dataDir = join(folder, 'data');
  const inUrls = {
    webUser: randomText(),
    webPassword: randomText(),
    webSignature: randomText(),
    pullSignature: randomText(),
    callbackToken: randomText(),
  };
  const media = {
    small: { type: 'file', path: await makeVideo(folder, 2_000_000) },
    large: { type: 'file', path: await makeVideo(folder, 12_000_000) },
    pull: { type: 'pull', url: `https://videos.example.com/a.mp4?X-Amz-Signature=${inUrls.pullSignature}` },
  } as const;
  const secrets = { clientSecret, apiKey: randomText(), boardPassword: randomText(), ...inUrls };
  const web = await startHostileMediaServer(await readFile(media.small.path));
  const login = `//${inUrls.webUser}:${inUrls.webPassword}@`;
  const env = {
    DATA_DIR: dataDir,
    LOG_LEVEL: 'trace',
    PORT: '0',
    UPLOAD_CONCURRENCY: '40',
    CHUNK_SIZE_BYTES: '5000000',
    SHUTDOWN_TIMEOUT_MS: '500',
    TIKTOK_API_BASE_URL: simulator.url,
    TIKTOK_CLIENT_KEY: simulator.clientKey,
    TIKTOK_CLIENT_SECRET: clientSecret,
    API_KEYS: secrets.apiKey,
    OUTBOUND_ALLOW_HOSTS: web.allowHosts.join(','),
    BOARD_USER: 'operator',
    BOARD_PASSWORD: secrets.boardPassword,
  };
  const planted: PlantedSecret[] = Object.entries(secrets).map(([name, value]) => ({ name, value }));
  const evidence: Evidence[] = [];
  const services: { readonly name: string; readonly command: RunningCommand }[] = [];
  const faults: { readonly account: string; readonly handle: FaultHandle }[] = [];

  function startService(name: string, args: readonly string[], extraEnv: Record<string, string> = {}): RunningCommand {
    const command = startCommand([...args, '--json'], { ...env, ...extraEnv });
    services.push({ name, command });
    return command;
  }

  // The first to come owns Redis, and ends last.
  const { url } = announcement.parse(await startService('server', ['server']).document());
  const client = await openClient(loadConfig({ ...env, LOG_LEVEL: 'silent' }));
  const { redis, publisher, vault } = client;
  const { keys } = client.app;
  const redisPort = redisRecord.parse(JSON.parse(await readFile(join(dataDir, 'redis.json'), 'utf8'))).port;

  async function addAccount(account: string, change: { expiresInSeconds?: number } = {}) {
    const tokens = simulator.addAccount({ openId: `open-id-of-${account}` });
    const { openId, accessToken, refreshToken, expiresIn: expiresInSeconds } = tokens;
    await vault.add({ account, openId, accessToken, refreshToken, expiresInSeconds, ...change });
    return tokens;
  }

  const enqueue = (account: string, { media: kind = 'small', web: does, mode = 'direct' }: Partial<Trouble> = {}) => {
    const signed = does && `${web.url(does).replace('//', login)}?X-Amz-Signature=${inUrls.webSignature}`;
    const post = { privacyLevel: 'PUBLIC_TO_EVERYONE' } as const;
    return publisher.enqueue({
      ...(mode === 'direct' ? { account, mode, post } : { account, mode }),
      media: signed === undefined ? media[kind] : { type: 'url', url: signed },
      // Nobody takes callbacks there, so that each of them fails and is told of.
      callbackUrl: `${web.url('forbidden')}?token=${inUrls.callbackToken}`,
    });
  };

  return {
    ...{ simulator, folder, dataDir, media, env, url, redis, keys, publisher, vault },
    ...{ planted, evidence, services, faults, startService, addAccount, enqueue },
    redisAddress: `127.0.0.1:${redisPort}`,
    boardHeaders: { authorization: `Basic ${btoa(`${env.BOARD_USER}:${env.BOARD_PASSWORD}`)}` },

    /** Runs a command to its end and keeps what it says. */
    async run(args: readonly string[], extraEnv: Record<string, string> = {}, stdin = '') {
      const result = await runCommand(args, { ...env, PUBLIC_BASE_URL: url, ...extraEnv }, stdin);
      evidence.push({ channel: 'cli', place: args.join(' '), content: result.stdout + result.stderr });
      return result;
    },

    /** Enqueues a job for a user of its own, after having arranged its trouble. */
    async begin(account: string, trouble: Trouble) {
      const tokens = await addAccount(account);
      trouble.arrange({
        simulator,
        tokens,
        fault: (endpoint, act) => {
          const when = { openId: tokens.openId, times: 'always' } as const;
          faults.push({ account, handle: simulator.faults.add({ endpoint, when, act }) });
        },
      });
      return await enqueue(account, trouble);
    },

    /** Ends all processes, Redis last, and keeps what they said. */
    async stop(): Promise<void> {
      await client.close();
      for (const { name, command } of [...services].reverse()) {
        command.kill('SIGTERM');
        const { stdout, stderr } = await command.ended;
        evidence.push({ channel: 'log', place: name, content: stdout + stderr });
      }
    },

    async remove(): Promise<void> {
      await simulator.close();
      await web.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
