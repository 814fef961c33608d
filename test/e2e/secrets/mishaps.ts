import { createHmac, randomBytes } from 'node:crypto';
import { goThroughConsent, openBrowser } from '../../support/connect-site.ts';
import { eventually } from '../../support/eventually.ts';
import { pageEvidence } from '../../support/served-evidence.ts';
import type { Deployment } from './deployment.ts';

const otherKey = () => randomBytes(32).toString('base64');

/** A worker and a doctor with another key than the one that sealed the tokens. */
export async function meetWrongKey(deployment: Deployment): Promise<void> {
  const { planted, startService, addAccount, enqueue, publisher, run } = deployment;
  const ENCRYPTION_KEYS = otherKey();
  planted.push({ name: 'wrong encryption key', value: Buffer.from(ENCRYPTION_KEYS, 'base64') });
  await addAccount('sealed-with-another-key');
  const worker = startService('worker with a wrong key', ['worker'], { ENCRYPTION_KEYS });
  await worker.document();
  const { id } = await enqueue('sealed-with-another-key');
  await eventually(async () => JSON.stringify(await publisher.get(id)).includes('CONFIG_KEY_UNKNOWN'));
  worker.kill('SIGTERM');
  await Promise.all([
    worker.ended,
    run(['doctor'], { ENCRYPTION_KEYS }),
    run(['accounts', 'rekey', '--json'], { ENCRYPTION_KEYS }),
  ]);
}

/** A worker that is killed in the middle of a chunk. */
export async function killInMidUpload({ simulator, startService, addAccount, enqueue }: Deployment): Promise<void> {
  const { openId } = await addAccount('killed-in-mid-upload');
  simulator.faults.add({ endpoint: 'upload', when: { openId }, act: { kind: 'stall', afterBytes: 1_000_000 } });
  const worker = startService('worker that is killed', ['worker', '--only', 'upload']);
  await worker.document();
  await enqueue('killed-in-mid-upload', { media: 'large' });
  await eventually(() => {
    const [publish] = simulator.journal.publishes().filter((other) => other.openId === openId);
    return (publish?.receivedBytes ?? 0) >= 1_000_000;
  });
  worker.kill('SIGKILL');
  await worker.ended;
}

/** A sealed token that was moved to another account. */
export async function tamper({ addAccount, redis, keys, enqueue, publisher }: Deployment): Promise<void> {
  await addAccount('tampered');
  await addAccount('tampered-from');
  const foreign = (await redis.hget(keys.account('tampered-from'), 'accessToken')) ?? '';
  await redis.hset(keys.account('tampered'), 'accessToken', foreign);
  const { id } = await enqueue('tampered');
  await eventually(async () => JSON.stringify(await publisher.get(id)).includes('INTERNAL_TAMPERED'));
}

/** An account that is removed while its job waits, and TikTok's refusal to be told so. */
export async function removeAccount({ simulator, addAccount, enqueue, vault, run }: Deployment): Promise<void> {
  const { openId } = await addAccount('removed');
  await vault.pause('removed');
  await enqueue('removed');
  const message = 'You sent {request}';
  simulator.faults.add({
    endpoint: 'revoke',
    when: { openId },
    act: { kind: 'status', httpStatus: 400, code: 'invalid_request', message },
  });
  await run(['accounts', 'remove', 'removed']);
}

/** Jobs that are cancelled: before they begin, and while TikTok fetches the video, which it refuses to stop. */
export async function cancel({ simulator, addAccount, vault, enqueue, publisher, run }: Deployment): Promise<void> {
  await addAccount('cancelled');
  await vault.pause('cancelled');
  const { id } = await enqueue('cancelled');
  const { openId } = await addAccount('not-cancelled');
  const refusal = { kind: 'status', httpStatus: 400, code: 'publish_not_cancellable', message: '{request}' } as const;
  simulator.faults.add({ endpoint: 'cancel', when: { openId, times: 'always' }, act: refusal });
  simulator.faults.add({ endpoint: 'video_init', when: { openId }, act: { kind: 'stuck_processing' } });
  const pulled = await enqueue('not-cancelled', { media: 'pull' });
  await eventually(async () => (await publisher.get(pulled.id))?.state === 'processing');
  await Promise.all([run(['cancel', id]), publisher.cancel(pulled.id)]);
}

/** People who connect accounts: well, with a refused code, by an altered link and a used one, with a page that is over. */
export async function connectAccounts(deployment: Deployment): Promise<void> {
  const { simulator, url, planted, evidence, run, boardHeaders } = deployment;
  simulator.addAccount({ openId: 'open-id-of-connected' });
  const createLink = async (): Promise<string> => {
    const made = await run(['accounts', 'connect', 'connected', '--json']);
    const link: string = JSON.parse(made.stdout).url;
    // Showing the link is what this command is for.
    evidence.splice(
      evidence.findIndex(({ content }) => content === made.stdout + made.stderr),
      1,
    );
    planted.push({ name: 'token of a link', value: new URL(link).searchParams.get('link') ?? '' });
    return link;
  };
  const [used, link] = [await createLink(), await createLink()];

  const keepPage = (text: string) => evidence.push({ channel: 'http', place: 'connect page', content: text });
  const connected = await goThroughConsent(used, 'open-id-of-connected');
  const plantStateOf = (location: string) =>
    planted.push({ name: 'state', value: new URL(location).searchParams.get('state') ?? '' });
  plantStateOf(connected.begun.location);
  keepPage(connected.page.text);
  keepPage((await connected.browser.visit(connected.callback)).text);

  simulator.faults.add({
    endpoint: 'token',
    act: { kind: 'status', httpStatus: 200, code: 'invalid_request', message: 'You sent {request}' },
  });
  const refused = await goThroughConsent(link, 'open-id-of-connected', openBrowser());
  plantStateOf(refused.begun.location);
  keepPage(refused.page.text);
  // A connection that is begun and left lies in Redis until it runs out.
  plantStateOf((await openBrowser().visit(link)).location);

  evidence.push(await pageEvidence(used), await pageEvidence(link.replace(/link=.{6}/, 'link=AAAAAA')));
  evidence.push(await pageEvidence(`${url}/connect/tiktok`, { headers: boardHeaders }).then(withoutHead));
}

/** Only what stands in the page: its address and cookie hold the state, which is what they are for. */
function withoutHead<T extends { readonly content: string | Buffer }>(page: T): T {
  return { ...page, content: String(page.content).split('\n').slice(1).join('\n') };
}

/** Requests that carry secrets to where they do not belong, and webhooks with right and wrong signatures. */
export async function sendStrayRequests({ url, env, boardHeaders, planted, evidence }: Deployment): Promise<void> {
  const stray = randomBytes(24).toString('base64url');
  planted.push({ name: 'stray secret', value: stray });
  const bearer = { authorization: `Bearer ${env.API_KEYS}` };
  const body = JSON.stringify({ event: 'authorization.removed', create_time: 1, user_openid: stray, content: stray });
  const sign = (secret: string) => `t=1,s=${createHmac('sha256', secret).update(`1.${body}`).digest('hex')}`;
  const webhook = (signature: string, text = body) =>
    pageEvidence(`${url}/webhooks/tiktok`, { method: 'POST', headers: { 'tiktok-signature': signature }, body: text });
  const answers = [
    webhook(sign(stray)),
    webhook(`t=1,s=${stray}`),
    webhook(sign(env.TIKTOK_CLIENT_SECRET).replace(/.$/, 'x')),
    pageEvidence(`${url}/v1/publishes`, { method: 'POST', headers: bearer, body: `{"token":"${stray}"` }),
    pageEvidence(`${url}/connect/tiktok/callback?code=${stray}&state=${stray}`),
    pageEvidence(`${url}/connect/tiktok/%zz?code=${stray}`),
    pageEvidence(`${url}/board/api/queues/${'x'.repeat(200)}/%E0%A4%A?code=${stray}`, { headers: boardHeaders }),
    pageEvidence(`${url}/nowhere?code=${stray}`, {
      headers: { ...bearer, cookie: `tiktok-connect-${stray.slice(0, 8)}=${stray}` },
    }),
    pageEvidence(`${url}/board`, { headers: { authorization: `Basic ${btoa(`operator:${stray}`)}` } }),
    pageEvidence(`${url}/board`, { headers: bearer }),
  ];
  evidence.push(...(await Promise.all(answers)));
}

/** Apps that ask what accounts may post: of each that is in trouble with its tokens or with TikTok, and as strangers. */
export async function askForCreators({ url, env, evidence }: Deployment): Promise<void> {
  const accounts = ['all-well', 'creator-refused', 'creator-html', 'refresh-refused', 'refresh-html', 'tampered'];
  const ask = async (account: string, key: string) => {
    const headers = { authorization: `Bearer ${key}` };
    evidence.push(await pageEvidence(`${url}/v1/accounts/${account}/creator`, { headers }));
  };
  await Promise.all([...accounts.map((account) => ask(account, env.API_KEYS)), ask('all-well', env.BOARD_PASSWORD)]);
}

/** Commands that are given secrets in wrong forms and places, and say what is wrong. */
export async function useCommandsWrongly({ planted, redisAddress, run }: Deployment): Promise<void> {
  const secret = (name: string) => {
    const value = randomBytes(24).toString('base64url');
    planted.push({ name, value });
    return value;
  };
  const add = (stdin: string) => run(['accounts', 'add', 'typo', '--open-id', 'o-1'], {}, stdin);
  const redis = secret('password of Redis');
  const commands = [
    () => add(`{"accessToken": "${secret('token in half JSON')}"`),
    () => add(`"${secret('token that is the whole input')}"`),
    () => add(JSON.stringify({ accessToken: `${secret('token with a blank')} `, expiresIn: 'soon' })),
    () => add(JSON.stringify({ accessToken: { accessToken: secret('token too deep') } })),
    () => run(['doctor'], { ENCRYPTION_KEYS: `${secret('half a key')},${otherKey()}`, REDIS_URL: `ftp://:${redis}@x` }),
    () => run(['doctor', '--json'], { ENCRYPTION_KEYS: otherKey(), REDIS_URL: `redis://:${redis}@127.0.0.1:1` }),
    () => run(['list'], { ENCRYPTION_KEYS: otherKey(), REDIS_URL: `redis://user:${redis}@127.0.0.1:1/0` }),
    () => run(['list'], { ENCRYPTION_KEYS: otherKey(), REDIS_URL: `redis://user:${redis}@${redisAddress}` }),
    () => run(['list'], { ENCRYPTION_KEYS: otherKey(), REDIS_URL: `redis://:${redis}@${redisAddress}/x` }),
    () => run(['start'], { BOARD_USER: '', BOARD_PASSWORD: secret('password without a user'), HOST: '0.0.0.0' }),
  ];
  // One after the other: each of them is a whole Node that starts.
  for (const command of commands) await command();
}
