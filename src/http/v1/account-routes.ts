import { z } from 'zod';
import { accountTokensSchema, toAccountInput } from '../../accounts/account-input.ts';
import { accountNameSchema } from '../../core/publish-request.ts';
import { BODY_PROBLEMS, jsonAnswers } from './api-answers.ts';
import { creatorSchema, toCreator } from './creator-schema.ts';
import type { ApiScope } from './typed-routes.ts';

const TAGS = ['Accounts'];
const PATH = '/v1/accounts/:account';
const NOT_FOUND = { 404: '`INPUT_ACCOUNT_UNKNOWN`: no account with this name is connected.' };

const time = z.iso.datetime();

const accountParams = z.object({
  account: accountNameSchema.meta({
    description: 'Name of the account, or its TikTok open_id.',
    examples: ['acme'],
  }),
});

const accountFields = {
  account: z.string().describe('Account name for publish requests.'),
  openId: z.string().describe("TikTok's id (open_id) of the user for your app."),
  scope: z.string().nullable().describe('Comma-separated list of the granted scopes; null: unknown.'),
  addedAt: time.describe('When the account was first connected.'),
  accessTokenExpiresAt: time
    .nullable()
    .describe('When the access token expires. It is refreshed before then. null: unknown.'),
  refreshTokenExpiresAt: time
    .nullable()
    .describe('When the refresh token expires. Then the account must be connected again. null: unknown.'),
  status: z
    .enum(['active', 'reauthorization_required', 'paused'])
    .describe(
      '`active`; `paused`: its jobs wait until it is resumed; `reauthorization_required`: TikTok no longer accepts its tokens, so the owner must connect the account again.',
    ),
  pauseCode: z
    .string()
    .nullable()
    .describe('Error code for which a worker paused the account; null: it is not paused, or a person paused it.'),
  clientKey: z
    .string()
    .nullable()
    .describe('First characters of the client key of the app to which the tokens belong; null: unknown.'),
  otherApp: z
    .boolean()
    .describe(
      'Whether the tokens belong to an app other than the configured one. TikTok no longer refreshes such tokens.',
    ),
};

const ACCOUNT_EXAMPLE = {
  ...{ account: 'acme', openId: '723f24d7-e717-40f8-a2b6-cb8464cd23b4', scope: 'video.publish,video.upload' },
  ...{ addedAt: '2026-11-22T09:00:00.000Z', accessTokenExpiresAt: '2026-11-23T09:00:00.000Z' },
  ...{
    refreshTokenExpiresAt: '2027-11-22T09:00:00.000Z',
    status: 'active',
    pauseCode: null,
    clientKey: 'awx1…',
    otherApp: false,
  },
} as const;

/** An account, without its tokens. */
const accountSchema = z.object(accountFields).meta({
  id: 'Account',
  description: 'A TikTok account. Its tokens are never returned.',
  examples: [ACCOUNT_EXAMPLE],
});

const connectedAccountSchema = z
  .object({
    ...accountFields,
    missingScopes: z
      .array(z.string())
      .describe('Scopes that publishing needs but the owner did not grant. Requests that need them will be refused.'),
  })
  .meta({
    id: 'ConnectedAccount',
    description: 'An account that was just connected.',
    examples: [{ ...ACCOUNT_EXAMPLE, missingScopes: [] }],
  });

const accountListSchema = z
  .object({ accounts: z.array(accountSchema).describe('Oldest first.') })
  .meta({ id: 'AccountList', description: 'All connected accounts.', examples: [{ accounts: [ACCOUNT_EXAMPLE] }] });

const removedAccountSchema = z
  .object({
    removed: z.string().describe('Account name.'),
    revoked: z.boolean().describe('Whether TikTok has revoked the access.'),
    problem: z
      .string()
      .optional()
      .describe('Why the access could not be revoked. The owner can revoke it in the TikTok app.'),
  })
  .meta({
    id: 'RemovedAccount',
    description: 'The account and its tokens were deleted here.',
    examples: [{ removed: 'acme', revoked: true }],
  });

/** Adds `/v1/accounts`. */
export function registerAccountRoutes(api: ApiScope): void {
  registerConnecting(api);
  registerReading(api);
  registerPausing(api);
  registerCreator(api);
}

function registerConnecting(api: ApiScope): void {
  api.put(
    PATH,
    {
      config: { access: { scope: 'admin', perAccount: false } },
      schema: {
        operationId: 'putAccount',
        tags: TAGS,
        summary: 'Connect an account',
        description:
          'Stores the tokens of a TikTok user under a name, encrypted. If the name is already connected, the tokens are replaced and waiting jobs continue. Tokens are never returned.',
        params: accountParams,
        body: accountTokensSchema,
        response: jsonAnswers('The account is connected.', connectedAccountSchema, BODY_PROBLEMS),
      },
    },
    async ({ params: { account }, body, publisher }) => await publisher.accounts.connect(toAccountInput(account, body)),
  );
  api.delete(
    PATH,
    {
      config: { access: { scope: 'admin', perAccount: false } },
      schema: {
        operationId: 'removeAccount',
        tags: TAGS,
        summary: 'Remove an account',
        description:
          'Revokes the access at TikTok if possible, and deletes the account and its tokens. Its waiting jobs will fail.',
        params: accountParams,
        response: jsonAnswers('The account was removed.', removedAccountSchema, NOT_FOUND),
      },
    },
    async ({ params: { account }, publisher }) => await publisher.accounts.remove(account),
  );
}

function registerReading(api: ApiScope): void {
  api.get(
    '/v1/accounts',
    {
      config: { access: { scope: 'read', perAccount: true } },
      schema: {
        operationId: 'listAccounts',
        tags: TAGS,
        summary: 'List accounts',
        response: jsonAnswers('All accounts.', accountListSchema),
      },
    },
    async ({ publisher }) => ({ accounts: await publisher.accounts.list() }),
  );
  api.get(
    PATH,
    {
      config: { access: { scope: 'read', perAccount: true } },
      schema: {
        operationId: 'getAccount',
        tags: TAGS,
        summary: 'Get an account',
        params: accountParams,
        response: jsonAnswers('The account.', accountSchema, NOT_FOUND),
      },
    },
    async ({ params: { account }, publisher }) => await publisher.accounts.get(account),
  );
}

function registerPausing(api: ApiScope): void {
  const changes = [
    ['pause', 'Pause an account', 'The jobs of the account wait. Jobs that have already started continue.'],
    ['resume', 'Resume an account', 'Ends the pause. Waiting jobs continue.'],
  ] as const;
  for (const [change, summary, description] of changes) {
    const schema = {
      ...{ operationId: `${change}Account`, tags: TAGS, summary, description, params: accountParams },
      response: jsonAnswers('The current account.', accountSchema, NOT_FOUND),
    };
    const config = { access: { scope: 'operate', perAccount: true } } as const;
    api.post(
      `${PATH}/${change}`,
      { config, schema },
      async ({ params: { account }, publisher }) => await publisher.accounts[change](account),
    );
  }
}

function registerCreator(api: ApiScope): void {
  api.get(
    `${PATH}/creator`,
    {
      config: { access: { scope: 'read', perAccount: true } },
      schema: {
        operationId: 'getCreator',
        tags: TAGS,
        summary: 'Get the posting options of a creator',
        description:
          'Queries TikTok each time, without a cache. Call this each time you show a page on which a person chooses the settings of a post: TikTok requires that the page shows the account and offers only the options that it allows.',
        params: accountParams,
        response: jsonAnswers('The current posting options of the creator.', creatorSchema, {
          ...NOT_FOUND,
          409: 'The creator cannot post now: `TIKTOK_DAILY_POST_CAP`, `TIKTOK_ACTIVE_USER_CAP`, `TIKTOK_USER_BANNED`, `AUTH_REAUTHORIZATION_REQUIRED`, `AUTH_SCOPE_MISSING`.',
          429: '`TIKTOK_RATE_LIMITED`: TikTok allows this query 20 times a minute.',
          502: true,
        }),
      },
    },
    async ({ params: { account }, publisher }) => toCreator(await publisher.creator(account)),
  );
}
