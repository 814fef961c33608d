import { z } from 'zod';
import { type InputProblem, PublishError } from '../core/publish-error.ts';
import { accountNameSchema } from '../core/publish-request.ts';

/** The tokens of a TikTok user as an authorization gives them. Lifetimes in seconds, as on the wire. */
export interface TokenInput {
  /** Access token of the user. */
  readonly accessToken: string;
  /** Its lifetime. Absent: unknown, so the token is used until TikTok refuses it. */
  readonly expiresInSeconds?: number | undefined;
  /** Without one the account must be connected again when the access token expires. */
  readonly refreshToken?: string | undefined;
  /** Its lifetime. */
  readonly refreshExpiresInSeconds?: number | undefined;
  /** Comma-separated list of the granted scopes. */
  readonly scope?: string | undefined;
}

/** An account and its tokens, about to be stored. */
export interface AccountInput extends TokenInput {
  /** The name that publish requests use. */
  readonly account: string;
  /** TikTok's id of the user for our app. */
  readonly openId: string;
}

/** Tokens travel in an HTTP header or a form, so anything else than visible ASCII is a paste error. */
const token = z
  .string({ error: 'expected a token' })
  .regex(/^[\x21-\x7e]+$/, 'expected a token without white space, as TikTok gave it');
const lifetimeSeconds = z.int({ error: 'expected a whole number of seconds' }).positive('expected more than 0 seconds');

const tokenFields = {
  accessToken: token.meta({ description: 'Access token of the user. Never returned.', examples: ['act.example'] }),
  expiresIn: lifetimeSeconds.optional().meta({
    description: 'Lifetime of the access token in seconds. If omitted, the token is used until TikTok rejects it.',
  }),
  refreshToken: token.optional().meta({
    description: 'Refresh token. Without it, the account must be connected again when the access token expires.',
    examples: ['rft.example'],
  }),
  refreshExpiresIn: lifetimeSeconds.optional().meta({ description: 'Lifetime of the refresh token in seconds.' }),
  scope: z
    .string({ error: 'expected a comma-separated list of scopes' })
    .optional()
    .meta({ description: 'Comma-separated list of the granted scopes.', examples: ['video.publish,video.upload'] }),
};

/** Names and open_ids share one space, since an account may be addressed by either. */
const accountName = accountNameSchema;

const FIELD_NAMES = ['openId', ...Object.keys(tokenFields)].join(', ');

const tokenInputSchema = z
  .strictObject(
    { openId: accountName.optional(), ...tokenFields },
    { error: `expected a JSON object with ${FIELD_NAMES}` },
  )
  .transform(({ openId, ...tokens }) => ({ openId, ...toTokenInput(tokens) }));

/** Lifetimes say their unit from here on. */
function toTokenInput({
  expiresIn,
  refreshExpiresIn,
  ...tokens
}: z.infer<z.ZodObject<typeof tokenFields>>): TokenInput {
  return { ...tokens, expiresInSeconds: expiresIn, refreshExpiresInSeconds: refreshExpiresIn };
}

/** What connects an account over REST: the TikTok user and the fields of `accounts add`. */
export const accountTokensSchema = z
  .strictObject({
    openId: accountName.meta({
      description: "TikTok's id of the user for your app.",
      examples: ['723f24d7-e717-40f8-a2b6-cb8464cd23b4'],
    }),
    ...tokenFields,
  })
  .meta({
    id: 'AccountTokens',
    description: 'The tokens of a TikTok user, as returned by an authorization.',
    examples: [
      {
        openId: '723f24d7-e717-40f8-a2b6-cb8464cd23b4',
        ...{ accessToken: 'act.example', expiresIn: 86_400, refreshToken: 'rft.example', refreshExpiresIn: 31_536_000 },
        scope: 'video.publish,video.upload',
      },
    ],
  });

/** An account about to be stored, from what connects it over REST. */
export function toAccountInput(account: string, tokens: z.infer<typeof accountTokensSchema>): AccountInput {
  const { openId, ...rest } = tokens;
  return { ...toTokenInput(rest), account, openId };
}

const accountInputSchema = z.object({
  account: accountName,
  openId: accountName,
  accessToken: token,
  expiresInSeconds: lifetimeSeconds.optional(),
  refreshToken: token.optional(),
  refreshExpiresInSeconds: lifetimeSeconds.optional(),
  scope: z.string().optional(),
});

/**
 * Parses the token object that operators hand in, as REST takes it: `{"openId", "accessToken", "expiresIn", "refreshToken",
 * "refreshExpiresIn", "scope"}`, all but `accessToken` optional, lifetimes in seconds.
 * @throws PublishError `INPUT_INVALID` with every problem; no value is ever quoted
 */
export function parseAccountInput(input: unknown): TokenInput & { readonly openId?: string | undefined } {
  return parseWith(tokenInputSchema, input);
}

/**
 * Checks an account about to be stored.
 * @throws PublishError `INPUT_INVALID` with every problem
 */
export function checkAccountInput(input: AccountInput): AccountInput {
  return parseWith(accountInputSchema, input);
}

/**
 * Checks the name of an account.
 * @throws PublishError `INPUT_INVALID`
 */
export function parseAccountName(name: string): string {
  const result = accountName.safeParse(name);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ message }) => ({ path: 'account', message }));
  throw new PublishError('INPUT_INVALID', { problems });
}

function parseWith<T>(schema: z.ZodType<T>, input: unknown): T {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  throw new PublishError('INPUT_INVALID', { problems: result.error.issues.flatMap(toProblems) });
}

function toProblems(issue: z.core.$ZodIssue): InputProblem[] {
  if (issue.code === 'unrecognized_keys') return toUnknownFields(issue.keys);
  return [{ path: issue.path.length === 0 ? 'input' : issue.path.map(String).join('.'), message: issue.message }];
}

/** What a slip of the pen makes of a field's name. Anything else may be a token in the wrong place. */
const NAME_FORM = /^[A-Za-z_-]{1,40}$/;

function toUnknownFields(names: readonly string[]): InputProblem[] {
  const expected = `expected one of ${FIELD_NAMES}`;
  const shown = names.filter((name) => NAME_FORM.test(name));
  const hiddenCount = names.length - shown.length;
  const problems = shown.map((name) => ({ path: name, message: `unknown field: ${expected}` }));
  if (hiddenCount === 0) return problems;
  const message = `${hiddenCount} unknown field${hiddenCount > 1 ? 's' : ''}, not shown here because the name may be a secret: ${expected}`;
  return [...problems, { path: 'input', message }];
}
