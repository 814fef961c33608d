import { randomBytes, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { type ApiKey, type Caller, type KeyRequest, keyRequestSchema, SCOPES } from '../../core/access.ts';
import { parseStored } from '../../core/parse-stored.ts';
import type { Clock } from '../../core/ports.ts';
import { PublishError, toInputProblems } from '../../core/publish-error.ts';
import { sha256Hex } from '../../core/request-digest.ts';
import type { Keys } from '../../redis/keys.ts';
import type { RedisClient } from '../../redis/lua-script.ts';
import type { AuditTrail } from './audit-trail.ts';

/** A key that was just made: the only time its text is shown. */
export interface CreatedKey extends ApiKey {
  /** Send it as `Authorization: Bearer <key>`. */
  readonly key: string;
}

export type ApiKeys = ReturnType<typeof createApiKeys>;

/** How every key begins, so that secret scanners can know them. */
const KEY_START = 'tpk_';
const KEY_BYTES = 32;
const MAX_KEYS = 1_000;

const storedKey = z.object({
  ...{ id: z.string(), name: z.string(), createdAt: z.string(), createdBy: z.string() },
  scopes: z.array(z.enum(SCOPES)),
  accounts: z.array(z.string()).nullable(),
  expiresAt: z.string().nullable(),
});

interface ApiKeysDeps {
  readonly redis: RedisClient;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly audit: Pick<AuditTrail, 'add'>;
}

/** Whether a text is of the kind of keys that are made at run time. */
export const isMadeKey = (text: string): boolean => text.startsWith(KEY_START);

/** Keys that are made and revoked while everything runs. They have so many random bits that a plain digest hides them. */
export function createApiKeys({ redis, keys, clock, audit }: ApiKeysDeps) {
  const isLive = ({ expiresAt }: ApiKey) => expiresAt === null || Date.parse(expiresAt) > clock.now();

  /** Digests of keys that were found here. */
  const good = new Set<string>();

  /** Forgets those that have expired. */
  async function readAll(): Promise<{ readonly digest: string; readonly key: ApiKey }[]> {
    const stored = Object.entries(await redis.hgetall(keys.apiKeys)).flatMap(([digest, json]) => {
      const key = parseStored(storedKey, json);
      return key === undefined ? [] : [{ digest, key }];
    });
    const dead = stored.filter(({ key }) => !isLive(key));
    if (dead.length > 0) await redis.hdel(keys.apiKeys, ...dead.map(({ digest }) => digest));
    return stored.filter(({ key }) => isLive(key));
  }

  async function tell(action: 'key.create' | 'key.revoke', by: string, key: ApiKey): Promise<void> {
    const [before, after] = action === 'key.create' ? [null, { ...key }] : [{ ...key }, null];
    await audit.add({ action, by, subject: key.id, account: null, before, after });
  }

  /** Whose key has a digest; undefined: nobody's, or no longer. */
  async function findByDigest(digest: string): Promise<Caller | undefined> {
    const json = await redis.hget(keys.apiKeys, digest);
    const key: ApiKey | undefined = json === null ? undefined : parseStored(storedKey, json);
    if (key === undefined || !isLive(key)) {
      good.delete(digest);
      return undefined;
    }
    if (good.size >= MAX_KEYS) good.clear();
    good.add(digest);
    return { by: `key ${key.name}`, scopes: key.scopes, accounts: key.accounts ?? undefined };
  }

  return {
    findByDigest,

    /** @throws PublishError `INPUT_INVALID` */
    async create(request: KeyRequest, createdBy: string): Promise<CreatedKey> {
      const { accounts = null, expiresAt = null, ...rest } = parseRequest(request, clock.now());
      const all = await readAll();
      if (all.some(({ key }) => key.name === rest.name)) throw invalid('name', 'another key has this name');
      if (all.length >= MAX_KEYS) throw invalid('name', `there are ${MAX_KEYS} keys; revoke those not in use`);
      const createdAt = new Date(clock.now()).toISOString();
      const made: ApiKey = { id: randomUUID(), ...rest, accounts, createdAt, createdBy, expiresAt };
      const key = `${KEY_START}${randomBytes(KEY_BYTES).toString('base64url')}`;
      await redis.hset(keys.apiKeys, sha256Hex(key), JSON.stringify(made));
      await tell('key.create', createdBy, made);
      return { ...made, key };
    },

    /** Oldest first. */
    async list(): Promise<ApiKey[]> {
      const all = (await readAll()).map(({ key }) => key);
      return all.sort((one, other) => one.createdAt.localeCompare(other.createdAt));
    },

    /** @returns what it was; undefined if there was none of this id */
    async revoke(id: string, by: string): Promise<ApiKey | undefined> {
      const found = (await readAll()).find(({ key }) => key.id === id);
      if (found === undefined) return undefined;
      await redis.hdel(keys.apiKeys, found.digest);
      await tell('key.revoke', by, found.key);
      return found.key;
    },

    /** Whether a text was somebody's key when it was last looked up here. */
    wasGood: (text: string): boolean => good.has(sha256Hex(text)),

    /** Whose key a text is; undefined: nobody's, or no longer. */
    find: (text: string): Promise<Caller | undefined> => findByDigest(sha256Hex(text)),
  };
}

function parseRequest(request: KeyRequest, now: number) {
  const { success, data, error } = keyRequestSchema.safeParse(request);
  if (!success) throw new PublishError('INPUT_INVALID', { problems: toInputProblems(error.issues, 'key') });
  if (data.expiresAt === undefined) return data;
  if (Date.parse(data.expiresAt) <= now) throw invalid('expiresAt', 'expected a time in the future');
  return { ...data, expiresAt: new Date(data.expiresAt).toISOString() };
}

function invalid(path: string, message: string): PublishError {
  return new PublishError('INPUT_INVALID', { problems: [{ path, message }] });
}
