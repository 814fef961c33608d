import { randomBytes } from 'node:crypto';
import { createAccountVault } from '../../src/accounts/vault.ts';
import { createSealer } from '../../src/sealing/sealer.ts';
import type { Benchmark, Row } from '../measure.ts';
import type { Product } from '../product.ts';
import { burdenRows, measureBurden, openBig, startAttendants } from './burden.ts';
import { enqueueMany } from './enqueue-many.ts';

/* 100,000 connected accounts of two queued jobs each: one may begin, the other waits for its turn. */

const ACCOUNTS = 100_000;
const AT_ONCE = 200;
const DAY_SECONDS = 86_400;

async function connectAccounts({ redis: { client }, keys }: Product, from: number, to: number): Promise<void> {
  const vault = createAccountVault({ redis: client, keys, sealer: createSealer([randomBytes(32)]) });
  const token = (kind: string) => `${kind}.${randomBytes(32).toString('hex')}`;
  const connect = (number: number) =>
    vault.add({
      ...{ account: `creator-${number}`, openId: `open-id-${number}`, scope: 'video.publish,video.upload' },
      ...{ accessToken: token('act'), expiresInSeconds: DAY_SECONDS },
      ...{ refreshToken: token('rft'), refreshExpiresInSeconds: 365 * DAY_SECONDS },
    });
  for (let first = from; first < to; first += AT_ONCE) {
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, to - first) }, (_, n) => connect(first + n)));
  }
}

export const accountsBenchmark: Benchmark = {
  name: 'accounts',
  async run({ scale, note }) {
    const product = await openBig(scale);
    try {
      const { redis, request } = product;
      const attendants = await startAttendants(product, scale);
      const rows: Row[] = [];
      let small: Parameters<typeof burdenRows>[1] | undefined;
      let from = 0;
      for (const size of [0.01, 1].map((share) => Math.ceil(share * scale * ACCOUNTS))) {
        const before = await redis.use();
        await connectAccounts(product, from, size);
        const connected = await redis.use();
        await enqueueMany(product, {
          ...{ from: 2 * from, to: 2 * size },
          request: (n) => request(`creator-${Math.floor(n / 2)}`),
        });
        const sized = { size, burden: await measureBurden(product, attendants, note) };
        rows.push(
          {
            ...{ id: `big.accounts.bytes.${size}`, what: `Redis memory per account, ${size} accounts`, unit: 'bytes' },
            product: [(connected.memoryBytes - before.memoryBytes) / (size - from)],
          },
          ...(small === undefined ? [] : burdenRows('accounts', sized, small)),
        );
        small ??= sized;
        from = size;
      }
      return rows;
    } finally {
      await product.close();
    }
  },
};
