import { text } from 'node:stream/consumers';
import { createTikTokClient } from 'tiktok-publisher/tiktok';
import { createWorkers, PublishError } from 'tiktok-publisher/workers';

const { TIKTOK_API_BASE_URL: apiBaseUrl = 'https://open.tiktokapis.com' } = process.env;
const { TIKTOK_CLIENT_KEY: clientKey, TIKTOK_CLIENT_SECRET: clientSecret } = process.env;
const tiktok = createTikTokClient({ apiBaseUrl });

// Stands for your table of customers: [["acme", { "accessToken", "refreshToken", "expiresAt" (ms) }], …].
const customers = readCustomers(await text(process.stdin));
const renewals = new Map();

function readCustomers(json) {
  try {
    return new Map(JSON.parse(json));
  } catch {
    // Without what was read: it holds tokens.
    console.error('usage: node workers-with-own-tokens.mjs < customers.json, a list as this file describes it');
    process.exit(2);
  }
}

async function renew(account, { refreshToken }) {
  const grant = await tiktok.refreshToken({ clientKey, clientSecret, refreshToken });
  // Stored before use: TikTok has already revoked the previous tokens.
  customers.set(account, { ...grant, expiresAt: Date.now() + grant.expiresInSeconds * 1_000 });
  return grant.accessToken;
}

const tokens = {
  async accessToken(account, { rejectedToken } = {}) {
    const customer = customers.get(account);
    if (!customer) throw new PublishError('INPUT_ACCOUNT_UNKNOWN', { reason: `we have no customer "${account}"` });
    const isFresh = customer.expiresAt > Date.now() + 60_000;
    if (isFresh && customer.accessToken !== rejectedToken) return customer.accessToken;
    // One refresh for all callers. With several processes, hold a database lock during it.
    if (!renewals.has(account))
      renewals.set(
        account,
        renew(account, customer).finally(() => renewals.delete(account)),
      );
    return await renewals.get(account);
  },
};

const workers = await createWorkers({ tokens });
process.once('SIGTERM', async () => {
  await workers.close();
  await tiktok.close();
});
console.log('Workers run.');
