import { z } from 'zod';
import { onlyAccountsSchema } from './publish-request.ts';

/**
 * What a caller may do: `read` jobs, accounts and events; `enqueue` and check requests; `operate` jobs, accounts and
 * deliveries that are there; `admin`: all of it, and what belongs to the whole deployment: tokens, keys, the audit trail.
 */
export const SCOPES = ['read', 'enqueue', 'operate', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

/** Who asks, and what they may do. */
export interface Caller {
  /** As timelines and the audit trail name them, such as `key shop`. */
  readonly by: string;
  readonly scopes: readonly Scope[];
  /** The only accounts that exist for them; undefined: all. */
  readonly accounts?: readonly string[] | undefined;
}

/** What a route asks of its callers. */
export interface RouteAccess {
  readonly scope: Scope;
  /** Whether it shows and changes only what belongs to the caller's accounts; others are closed to callers with some only. */
  readonly perAccount: boolean;
}

/** To look at what belongs to the caller's accounts. */
export const READ: RouteAccess = { scope: 'read', perAccount: true };

/** What a route that names nothing asks: a forgotten one is closed to all but administrators. */
export const CLOSED: RouteAccess = { scope: 'admin', perAccount: false };

/** Why a caller may not use a route; undefined if they may. */
export function refusalOf({ scopes, accounts }: Caller, { scope, perAccount }: RouteAccess): string | undefined {
  if (!hasScope({ scopes }, scope)) {
    return `This needs the scope "${scope}"; you have ${scopes.join(', ')}. Use another key or login, or create a key: tiktok-publisher keys create.`;
  }
  if (accounts !== undefined && !perAccount) {
    return 'This concerns all accounts; your key is limited to some. Use a key without such a limit.';
  }
  return undefined;
}

/** Whether a caller may do what a scope allows. */
export function hasScope({ scopes }: Pick<Caller, 'scopes'>, scope: Scope): boolean {
  return scopes.includes(scope) || scopes.includes('admin');
}

/** Whether an account exists for a caller. */
export function mayTouch({ accounts }: Caller, account: string): boolean {
  return accounts === undefined || accounts.includes(account);
}

const MAX_NAME_LENGTH = 64;

/** A request for a key, from outside. */
export const keyRequestSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[\w .@:-]+$/, 'expected letters, digits, spaces and . @ : _ -')
      .max(MAX_NAME_LENGTH)
      .meta({ description: 'Who uses the key, as audit trail and timelines will name it.', examples: ['shop'] }),
    scopes: z
      .array(z.enum(SCOPES))
      .min(1, 'expected one scope or more')
      .meta({ description: 'What the key may do. `admin` includes the others.', examples: [['read', 'enqueue']] }),
    accounts: onlyAccountsSchema.meta({
      description: 'The only accounts that exist for the key. If omitted, all accounts.',
      examples: [['acme']],
    }),
    expiresAt: z.iso
      .datetime({ offset: true, error: 'expected an ISO 8601 time with a zone' })
      .optional()
      .meta({ description: 'When the key stops working. If omitted, never.', examples: ['2027-01-01T00:00:00Z'] }),
  })
  .meta({
    id: 'KeyRequest',
    description: 'Which API key to create.',
    examples: [{ name: 'shop', scopes: ['read', 'enqueue'], accounts: ['acme'] }],
  });

/** Which API key to create. */
export type KeyRequest = z.input<typeof keyRequestSchema>;

/** A key as it is listed: without its text, which nobody knows but its user. */
export interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Null: all. */
  readonly accounts: readonly string[] | null;
  /** ISO 8601, as are the others. */
  readonly createdAt: string;
  readonly createdBy: string;
  /** Null: never. */
  readonly expiresAt: string | null;
}

/** What the audit trail can tell of. */
export const AUDIT_ACTIONS = [
  'publish.cancel',
  'publish.retry',
  'publish.update',
  'operation.start',
  'operation.abort',
  'account.connect',
  'account.remove',
  'account.pause',
  'account.resume',
  'account.create_link',
  'callback.replay',
  'callback.resume',
  'failures.seen',
  'publishing.pause',
  'publishing.resume',
  'subscription.create',
  'subscription.delete',
  'subscription.test',
  'key.create',
  'key.revoke',
] as const;
type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** What was done. Values hold no secret. */
export interface AuditFact {
  readonly action: AuditAction;
  readonly by: string;
  /** Id of the job, name of the account, or id of what else was changed. */
  readonly subject: string;
  /** The account that it concerns; null: none or many. */
  readonly account: string | null;
  /** What changed, as it was and as it is; null: nothing to compare. */
  readonly before: Readonly<Record<string, unknown>> | null;
  readonly after: Readonly<Record<string, unknown>> | null;
}

/** A line of the audit trail. */
export interface AuditEntry extends AuditFact {
  /** Its place in the trail; newer ones are greater. */
  readonly id: string;
  /** ISO 8601. */
  readonly at: string;
}

/** Which lines of the audit trail to show. */
export interface AuditFilter {
  readonly account?: string | undefined;
  readonly subject?: string | undefined;
  readonly by?: string | undefined;
  readonly action?: AuditAction | undefined;
}

/** Whether a line is one of those asked for. */
export function isAsked(entry: AuditFact, filter: AuditFilter): boolean {
  const names = ['account', 'subject', 'by', 'action'] as const;
  return names.every((name) => filter[name] === undefined || filter[name] === entry[name]);
}
