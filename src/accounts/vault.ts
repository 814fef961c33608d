import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { ErrorCode } from '../core/error-table.ts';
import { PublishError } from '../core/publish-error.ts';
import { encodeEvent } from '../core/publish-event.ts';
import { prepareScript } from '../redis/lua-script.ts';
import { type AccountInput, checkAccountInput } from './account-input.ts';
import { type AccountSummary, encodeTokens, SUMMARY_FIELDS, summarize } from './account-record.ts';
import { createHeldAccounts } from './held-accounts.ts';
import { accountUnknown, createTokenStore, type VaultDeps } from './token-store.ts';
import { ADD_ACCOUNT_LUA, PAUSE_ACCOUNT_LUA, REMOVE_ACCOUNT_LUA, RESUME_ACCOUNT_LUA } from './vault-scripts.ts';

export type AccountVault = ReturnType<typeof createAccountVault>;

const addReply = z.tuple([
  z.enum(['ok', 'name_is_open_id_of', 'has_other_open_id', 'open_id_taken_by']),
  /** The name or open_id that stands against it. */
  z.string(),
]);

/** Keeps TikTok accounts and their sealed tokens. Accounts go by the name they were added under or by their open_id. */
export function createAccountVault(deps: VaultDeps) {
  const { redis, keys, sealer, clock = Date, clientKey } = deps;
  const runAdd = prepareScript(redis, ADD_ACCOUNT_LUA);
  const runRemove = prepareScript(redis, REMOVE_ACCOUNT_LUA);
  const runPause = prepareScript(redis, PAUSE_ACCOUNT_LUA);
  const runResume = prepareScript(redis, RESUME_ACCOUNT_LUA);
  const heldAccounts = createHeldAccounts({ redis, keys });

  async function findName(nameOrOpenId: string): Promise<string | undefined> {
    const [aliasOf, openId] = await redis.hmget(keys.account(nameOrOpenId), 'aliasOf', 'openId');
    return aliasOf ?? (openId ? nameOrOpenId : undefined);
  }

  async function readSummary(name: string): Promise<AccountSummary | undefined> {
    const values = await redis.hmget(keys.account(name), ...SUMMARY_FIELDS);
    return summarize(
      name,
      Object.fromEntries(SUMMARY_FIELDS.map((field, index) => [field, values[index] ?? undefined])),
      clientKey,
    );
  }

  const tokenStore = createTokenStore(deps);
  return {
    ...tokenStore,

    /**
     * Adds an account, or replaces the tokens of one that is connected again, which ends a needed reauthorization.
     * @throws PublishError `INPUT_INVALID`, also when the name stands for another TikTok user or the user has another
     * name; `REDIS_NOT_REPLICATED`
     */
    async add(input: AccountInput): Promise<AccountSummary> {
      const account = checkAccountInput(input);
      const { account: name, openId } = account;
      const now = clock.now();
      const reply = await runAdd(
        [keys.account(name), keys.account(openId), keys.accounts, keys.events],
        [
          name,
          openId,
          now,
          accountEvent('account.connected', name, now),
          ...(await encodeTokens({ account: name, tokens: account, grantedAt: now, clientKey }, sealer)),
        ],
      );
      const [outcome, other] = addReply.parse(reply);
      if (outcome !== 'ok')
        throw new PublishError('INPUT_INVALID', { problems: [explainRefusal[outcome](other, account)] });
      const summary = await readSummary(name);
      if (summary === undefined || !(await tokenStore.confirmStored(name))) throw accountUnknown(name);
      return summary;
    },

    async get(nameOrOpenId: string): Promise<AccountSummary | undefined> {
      const name = await findName(nameOrOpenId);
      return name === undefined ? undefined : await readSummary(name);
    },

    /** All accounts, oldest first; or those that hold their jobs back, the one first that has done so for the longest time. */
    async list({ held = false }: { readonly held?: boolean | undefined } = {}): Promise<AccountSummary[]> {
      const names = held ? await heldAccounts.names() : await redis.zrange(keys.accounts, '0', '-1');
      const summaries = (await Promise.all(names.map(readSummary))).filter((summary) => summary !== undefined);
      return held ? summaries.filter(({ status }) => status !== 'active') : summaries;
    },

    /** The account's name, which jobs, limits and events go by. @throws PublishError `INPUT_ACCOUNT_UNKNOWN` */
    async resolve(nameOrOpenId: string): Promise<string> {
      const name = await findName(nameOrOpenId);
      if (name === undefined) throw accountUnknown(nameOrOpenId);
      return name;
    },

    /** Forgets an account and its tokens. @returns false if there was none */
    async remove(nameOrOpenId: string): Promise<boolean> {
      const name = await findName(nameOrOpenId);
      const openId = name === undefined ? null : await redis.hget(keys.account(name), 'openId');
      if (name === undefined || openId === null) return false;
      return (await runRemove([keys.account(name), keys.account(openId), keys.accounts], [name, openId])) === 1;
    },

    /**
     * Notes that new publishes of the account are to be held back.
     * @param code the error for which they are, where no person pauses it
     * @returns false if there is no such account
     */
    async pause(nameOrOpenId: string, code?: ErrorCode): Promise<boolean> {
      const name = await findName(nameOrOpenId);
      if (name === undefined) return false;
      const now = clock.now();
      const args = [now, name, accountEvent('account.paused', name, now), code ?? ''];
      return (await runPause([keys.account(name), keys.events, keys.heldAccounts], args)) === 1;
    },

    /** Ends a pause. @returns false if there is no such account */
    async resume(nameOrOpenId: string): Promise<boolean> {
      const name = await findName(nameOrOpenId);
      return name !== undefined && (await runResume([keys.account(name)], [])) === 1;
    },
  };
}

const explainRefusal = {
  name_is_open_id_of: (other: string) => ({
    path: 'account',
    message: `this is the open_id of the account "${other}": use that name, or remove that account first`,
  }),
  has_other_open_id: (other: string, { account, openId }: AccountInput) => ({
    path: 'openId',
    message: `expected ${other}, the TikTok user of account "${account}", got ${openId}: use another name, or remove the account first`,
  }),
  open_id_taken_by: (other: string) => ({
    path: 'openId',
    message: `this TikTok user is already stored as "${other}": use that name, or remove that account first`,
  }),
};

function accountEvent(type: 'account.connected' | 'account.paused', account: string, at: number): string {
  return encodeEvent({ id: `account-${randomUUID()}`, type, subject: account, at, data: { account } });
}
