import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Clock, Sealer } from '../core/ports.ts';
import { PublishError, toInputProblems } from '../core/publish-error.ts';
import { accountNameSchema } from '../core/publish-request.ts';
import { sha256Hex } from '../core/request-digest.ts';
import { DAY_MS, MINUTE_MS } from '../core/units.ts';
import type { Keys } from '../redis/keys.ts';
import type { RedisClient } from '../redis/lua-script.ts';
import { isReturnUrl } from './connect-return.ts';

/** Where connecting an account begins. */
export const CONNECT_PATH = '/connect/tiktok';

const LEAST_LIFETIME_MS = MINUTE_MS;
const MOST_LIFETIME_MS = 7 * DAY_MS;
const MAX_RETURN_LENGTH = 2_000;

/** Which link to create. */
export interface ConnectLinkRequest {
  /** The name under which the account is stored: 1 to 128 characters without white space and braces. */
  readonly account: string;
  /**
   * Where the browser goes in the end, at an origin of `CONNECT_RETURN_ORIGINS`. The query parameters `account`, `outcome`
   * and `code` are added. Without it, the flow ends on a page of the service.
   */
  readonly returnTo?: string | undefined;
  /** How long the link works, in milliseconds: one minute to seven days. Default: one day. */
  readonly expiresInMs?: number | undefined;
}

/** A link that connects one account, once. */
export interface ConnectLink {
  /** The name under which the account is stored. */
  readonly account: string;
  /** Give it to the owner of the TikTok account. Whoever has it can connect the account until it is used or expires. */
  readonly url: string;
  /** Where the browser goes in the end; null: to a page of the service. */
  readonly returnTo: string | null;
  /** When the link stops working: ISO 8601. */
  readonly expiresAt: string;
}

/** A request for a link, from outside. */
export const connectLinkRequestSchema = z
  .strictObject({
    account: accountNameSchema.meta({
      description: 'Name under which the account is stored. An account that is already connected is connected again.',
      examples: ['acme'],
    }),
    returnTo: z
      .url({ protocol: /^https?$/, error: 'expected an http:// or https:// URL' })
      .max(MAX_RETURN_LENGTH)
      .optional()
      .meta({
        description:
          'URL to which the browser is redirected in the end. Its origin must be listed in `CONNECT_RETURN_ORIGINS`. The query parameters `account`, `outcome` (`connected`, `denied` or `failed`) and, unless all went well, `code` are added. If omitted, the flow ends on a page of the service.',
        examples: ['https://app.example.com/settings?tab=tiktok'],
      }),
    expiresInMs: z
      .int({ error: 'expected a whole number of milliseconds' })
      .min(LEAST_LIFETIME_MS, `expected one minute (${LEAST_LIFETIME_MS}) or more`)
      .max(MOST_LIFETIME_MS, `expected seven days (${MOST_LIFETIME_MS}) or less`)
      .default(DAY_MS)
      .meta({
        description: 'How long the link works, in milliseconds: one minute to seven days.',
        examples: [3_600_000],
      }),
  })
  .meta({
    id: 'ConnectLinkRequest',
    description: 'Which connect link to create.',
    examples: [{ account: 'acme', returnTo: 'https://app.example.com/settings?tab=tiktok', expiresInMs: 3_600_000 }],
  });

/** A link that works now. */
export interface OpenLink {
  /** Names the link, and is of no use to who knows it. */
  readonly id: string;
  readonly account: string;
  readonly returnTo?: string | undefined;
}

export type ConnectLinks = ReturnType<typeof createConnectLinks>;

export interface ConnectLinksDeps {
  readonly redis: RedisClient;
  readonly keys: Keys;
  readonly sealer: Sealer;
  readonly clock: Clock;
  /** Read when a link is created. */
  readonly settings: () => { readonly publicBaseUrl: string | undefined; readonly returnOrigins: readonly string[] };
}

const TOKEN_BYTES = 32;
const TOKEN_FORM = /^[\w-]{43}$/;
const NO_BASE_URL = 'is required for connect links: set it to the address at which browsers reach the web server';

const storedSchema = z.object({ account: z.string(), returnTo: z.string().optional(), expiresAt: z.int() });

/**
 * Creates links that an operator or an app hands to the owner of a TikTok account, and looks after their end.
 * A link's only content is a random token. Redis has its digest, with what belongs to it sealed: who reads Redis
 * learns no link, and nobody without the keys can make one.
 */
export function createConnectLinks({ redis, keys, sealer, clock, settings }: ConnectLinksDeps) {
  async function opened(id: string, sealed: string) {
    return storedSchema.parse(JSON.parse(await sealer.open(sealed, contextOf(id))));
  }

  return {
    /** @throws PublishError `INPUT_INVALID`; `CONFIG_INVALID` where nobody knows how browsers reach the web server */
    async create(request: ConnectLinkRequest): Promise<ConnectLink> {
      const { publicBaseUrl, returnOrigins } = settings();
      const { account, returnTo, expiresInMs } = parseRequest(request, returnOrigins);
      if (publicBaseUrl === undefined) {
        throw new PublishError('CONFIG_INVALID', { problems: [{ path: 'PUBLIC_BASE_URL', message: NO_BASE_URL }] });
      }
      const token = randomBytes(TOKEN_BYTES).toString('base64url');
      const id = sha256Hex(token);
      const expiresAt = clock.now() + expiresInMs;
      const stored: z.input<typeof storedSchema> = { account, returnTo, expiresAt };
      await redis.set(
        keys.connectLink(id),
        await sealer.seal(JSON.stringify(stored), contextOf(id)),
        'PX',
        expiresInMs,
      );
      return {
        account,
        url: `${publicBaseUrl}${CONNECT_PATH}?${new URLSearchParams({ link: token })}`,
        returnTo: returnTo ?? null,
        expiresAt: new Date(expiresAt).toISOString(),
      };
    },

    /** The link with this token; undefined if there is none, or no longer. */
    async find(token: string): Promise<OpenLink | undefined> {
      const id = sha256Hex(token);
      const sealed = TOKEN_FORM.test(token) ? await redis.get(keys.connectLink(id)) : null;
      if (sealed === null) return undefined;
      const { account, returnTo } = await opened(id, sealed);
      return { id, account, returnTo };
    },

    /** Uses a link up, which one caller can do. @returns how to give it back; undefined if it was used or has expired */
    async use(id: string): Promise<(() => Promise<void>) | undefined> {
      const sealed = await redis.getdel(keys.connectLink(id));
      if (sealed === null) return undefined;
      const { expiresAt } = await opened(id, sealed);
      return async () => {
        const remainingMs = expiresAt - clock.now();
        if (remainingMs > 0) await redis.set(keys.connectLink(id), sealed, 'PX', remainingMs);
      };
    },
  };
}

function parseRequest(request: ConnectLinkRequest, returnOrigins: readonly string[]) {
  const result = connectLinkRequestSchema.safeParse(request);
  if (!result.success)
    throw new PublishError('INPUT_INVALID', { problems: toInputProblems(result.error.issues, 'link') });
  const { returnTo } = result.data;
  if (returnTo === undefined || isReturnUrl(returnTo, returnOrigins)) return result.data;
  const allowed = returnOrigins.length === 0 ? 'that is not set' : returnOrigins.join(', ');
  const message = `expected a URL without user and password at an origin of CONNECT_RETURN_ORIGINS (${allowed}), got ${new URL(returnTo).origin}`;
  throw new PublishError('INPUT_INVALID', { problems: [{ path: 'returnTo', message }] });
}

function contextOf(id: string): string {
  return `connect-link:${id}`;
}
