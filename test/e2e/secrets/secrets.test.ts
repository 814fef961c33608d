import { randomBytes } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { jobText } from '../../../src/cli/job-text.ts';
import { eventually } from '../../support/eventually.ts';
import { type Evidence, searchFor } from '../../support/secret-search.ts';
import { servedEvidence } from '../../support/served-evidence.ts';
import { argumentEvidence, fileEvidence, redisEvidence } from '../../support/stored-evidence.ts';
import { endCommands } from '../cli/command.ts';
import { type Deployment, openDeployment } from './deployment.ts';
import {
  askForCreators,
  cancel,
  connectAccounts,
  killInMidUpload,
  meetWrongKey,
  removeAccount,
  sendStrayRequests,
  tamper,
  useCommandsWrongly,
} from './mishaps.ts';
import { TROUBLES } from './troubles.ts';

const KEY_FILE = 'development-key';
const CHANNELS = ['redis', 'events', 'file', 'log', 'metrics', 'http', 'cli', 'argument'];

/** A word that is no secret and is put into every channel, so that a search that is blind there is noticed. */
const DECOY = `decoy_${randomBytes(12).toString('hex')}`;
const BANNED = 'spam_risk_user_banned_from_posting';

let deployment: Deployment;
let evidence: readonly Evidence[];
const outcomes = new Map<string, string>();

beforeAll(async () => {
  deployment = await openDeployment();
  await meetWrongKey(deployment);
  await killInMidUpload(deployment);
  const { startService, url, boardHeaders, env } = deployment;
  const service = startService('start', ['start']);
  const started = z.looseObject({ url: z.string() }).parse(await service.document());
  // Before any refresh: the code exchange that is refused must not be one of those.
  await connectAccounts(deployment);
  await Promise.all([
    meetTroubles(),
    tamper(deployment),
    removeAccount(deployment),
    cancel(deployment),
    sendStrayRequests(deployment),
    useCommandsWrongly(deployment),
    showJobs(),
    spreadDecoy(),
  ]);
  await askForCreators(deployment);
  const callers = { board: boardHeaders, api: { authorization: `Bearer ${env.API_KEYS}` } };
  const shown = await Promise.all([started.url, url].map((base) => servedEvidence(base, callers)));
  const stored = await redisEvidence(deployment.redis);
  await deployment.stop();
  const files = await fileEvidence(deployment.dataDir, [KEY_FILE]);
  evidence = [...deployment.evidence, ...shown.flat(), ...stored, ...files];
});

afterAll(async () => {
  await endCommands();
  await deployment.remove();
});

async function meetTroubles(): Promise<void> {
  const met = Object.entries(TROUBLES).map(async ([account, trouble]) => {
    const { id } = await deployment.begin(account, trouble);
    await eventually(
      async () => {
        const job = JSON.stringify(await deployment.publisher.get(id));
        outcomes.set(account, job);
        return trouble.shows.test(job);
      },
      { intervalMs: 200 },
    ).catch(() => undefined);
  });
  await Promise.all(met);
}

/** What commands show of jobs and accounts. */
async function showJobs(): Promise<void> {
  const { run, publisher } = deployment;
  const failed = await eventually(async () => {
    const { jobs } = await publisher.list({ state: 'failed' });
    const [job] = jobs.filter(({ account }) => account.startsWith('init-refused'));
    if (job === undefined) throw new Error('nothing has failed yet');
    return job.id;
  });
  const commands = [
    ['status', failed],
    ['status', failed, '--json'],
    ['watch', failed],
    ['list', '--json'],
    ['accounts', 'list', '--json'],
    ['doctor'],
  ];
  for (const command of commands) await run(command);
}

/**
 * The decoy is an account's name, so it goes wherever accounts are named, logs of refreshes among them, and a code that
 * TikTok answers with.
 */
async function spreadDecoy(): Promise<void> {
  const { simulator, addAccount, media, run, evidence: kept, publisher } = deployment;
  const { openId } = await addAccount(DECOY, { expiresInSeconds: 1 });
  for (const code of [DECOY, BANNED]) {
    const act = { kind: 'status', httpStatus: 403, code } as const;
    simulator.faults.add({ endpoint: 'video_init', when: { openId }, act });
  }
  const watched = run(['publish', media.small.path, '--account', DECOY, '--privacy', 'SELF_ONLY', '--watch', '--json']);
  await eventually(async () => (await publisher.list({ account: DECOY })).jobs.length > 0);
  kept.push(...(await argumentEvidence()));
  await watched;
}

describe('what the system writes and shows', () => {
  it.each(Object.entries(TROUBLES))('includes a job that went as scripted: %s', (account, { shows }) => {
    expect(outcomes.get(account)).toMatch(shows);
    for (const { handle } of deployment.faults.filter((fault) => fault.account === account)) {
      expect(handle.fired).toBeGreaterThan(0);
    }
  });

  it.each(CHANNELS)('is searched where it goes out: %s', (channel) => {
    // Labels of metrics hold known words only, so a code of TikTok's shows that metrics are searched.
    const value = channel === 'metrics' ? BANNED : DECOY;
    const goneOut = evidence.filter((item) => item.channel === channel);
    expect(searchFor([{ name: 'decoy', value }])(goneOut)).not.toEqual([]);
  });

  it('holds no piece of any secret, in whatever form', async () => {
    const key = Buffer.from(await readFile(join(deployment.dataDir, KEY_FILE), 'utf8'), 'base64');
    const issued = deployment.simulator.secrets().map((value, index) => ({ name: `issued ${index}`, value }));
    const secrets = [...deployment.planted, ...issued, { name: 'development key', value: key }];
    // Two tokens for each user, new ones for those that were refreshed, two parts for each upload URL that was given.
    expect(issued.length).toBeGreaterThan(3 * Object.keys(TROUBLES).length);
    expect(secrets.every(({ value }) => value.length >= 16)).toBe(true);
    const shownJobs = await Promise.all([...outcomes].map(([account, job]) => textOf(account, job)));
    expect(searchFor(secrets)([...evidence, ...shownJobs])).toEqual([]);
  });

  it('keeps the development key where only its owner reads it', async () => {
    expect((await stat(join(deployment.dataDir, KEY_FILE))).mode & 0o777).toBe(0o600);
    expect((await stat(deployment.dataDir)).mode & 0o777).toBe(0o700);
  });
});

function textOf(account: string, job: string): Evidence {
  return { channel: 'cli', place: `status of ${account}`, content: jobText(JSON.parse(job)) };
}
