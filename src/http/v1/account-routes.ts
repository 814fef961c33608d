import { accountTokensSchema, toAccountInput } from '../../accounts/account-input.ts';
import type { CreatorInfo } from '../../core/creator-rules.ts';
import {
  accountListSchema,
  accountParams,
  accountSchema,
  connectedAccountSchema,
  creatorSchema,
  removedAccountSchema,
} from './account-schema.ts';
import { jsonAnswer, problemResponses } from './api-answers.ts';
import type { ApiOptions, ApiScope } from './typed-routes.ts';

type Options = Pick<ApiOptions, 'accounts' | 'askCreator'>;

const TAGS = ['Accounts'];
const PATH = '/v1/accounts/:account';
const NOT_FOUND = { 404: '`INPUT_ACCOUNT_UNKNOWN`: no account with this name is connected.' };

/** Adds `/v1/accounts`. */
export function registerAccountRoutes(api: ApiScope, options: Options): void {
  registerConnecting(api, options);
  registerReading(api, options);
  registerPausing(api, options);
  registerCreator(api, options);
}

function registerConnecting(api: ApiScope, { accounts }: Pick<Options, 'accounts'>): void {
  api.put(
    PATH,
    {
      schema: {
        operationId: 'putAccount',
        tags: TAGS,
        summary: 'Connect an account',
        description:
          'Stores the tokens of a TikTok user under a name, encrypted. If the name is already connected, the tokens are replaced and waiting jobs continue. Tokens are never returned.',
        params: accountParams,
        body: accountTokensSchema,
        response: {
          200: jsonAnswer('The account is connected.', connectedAccountSchema),
          ...problemResponses({ 413: true, 415: true }),
        },
      },
    },
    async ({ params: { account }, body }) => await accounts.connect(toAccountInput(account, body)),
  );
  api.delete(
    PATH,
    {
      schema: {
        operationId: 'removeAccount',
        tags: TAGS,
        summary: 'Remove an account',
        description:
          'Revokes the access at TikTok if possible, and deletes the account and its tokens. Its waiting jobs will fail.',
        params: accountParams,
        response: { 200: jsonAnswer('The account was removed.', removedAccountSchema), ...problemResponses(NOT_FOUND) },
      },
    },
    async ({ params: { account } }) => await accounts.remove(account),
  );
}

function registerReading(api: ApiScope, { accounts }: Pick<Options, 'accounts'>): void {
  api.get(
    '/v1/accounts',
    {
      schema: {
        operationId: 'listAccounts',
        tags: TAGS,
        summary: 'List accounts',
        response: { 200: jsonAnswer('All accounts.', accountListSchema), ...problemResponses() },
      },
    },
    async () => ({ accounts: await accounts.list() }),
  );
  api.get(
    PATH,
    {
      schema: {
        operationId: 'getAccount',
        tags: TAGS,
        summary: 'Get an account',
        params: accountParams,
        response: { 200: jsonAnswer('The account.', accountSchema), ...problemResponses(NOT_FOUND) },
      },
    },
    async ({ params: { account } }) => await accounts.get(account),
  );
}

function registerPausing(api: ApiScope, { accounts }: Pick<Options, 'accounts'>): void {
  const answers = { 200: jsonAnswer('The current account.', accountSchema), ...problemResponses(NOT_FOUND) };
  api.post(
    `${PATH}/pause`,
    {
      schema: {
        operationId: 'pauseAccount',
        tags: TAGS,
        summary: 'Pause an account',
        description: 'The jobs of the account wait. Jobs that have already started continue.',
        params: accountParams,
        response: answers,
      },
    },
    async ({ params: { account } }) => await accounts.pause(account),
  );
  api.post(
    `${PATH}/resume`,
    {
      schema: {
        operationId: 'resumeAccount',
        tags: TAGS,
        summary: 'Resume an account',
        description: 'Ends the pause. Waiting jobs continue.',
        params: accountParams,
        response: answers,
      },
    },
    async ({ params: { account } }) => await accounts.resume(account),
  );
}

function registerCreator(api: ApiScope, { askCreator }: Pick<Options, 'askCreator'>): void {
  api.get(
    `${PATH}/creator`,
    {
      schema: {
        operationId: 'getCreator',
        tags: TAGS,
        summary: 'Get the posting options of a creator',
        description:
          'Queries TikTok each time, without a cache. Call this each time you show a page on which a person chooses the settings of a post: TikTok requires that the page shows the account and offers only the options that it allows.',
        params: accountParams,
        response: {
          200: jsonAnswer('The current posting options of the creator.', creatorSchema),
          ...problemResponses({
            ...NOT_FOUND,
            409: 'The creator cannot post now: `TIKTOK_DAILY_POST_CAP`, `TIKTOK_ACTIVE_USER_CAP`, `TIKTOK_USER_BANNED`, `AUTH_REAUTHORIZATION_REQUIRED`, `AUTH_SCOPE_MISSING`.',
            429: '`TIKTOK_RATE_LIMITED`: TikTok allows this query 20 times a minute.',
            502: true,
          }),
        },
      },
    },
    async ({ params: { account } }) => toCreator(await askCreator(account)),
  );
}

/** With null for what TikTok did not say, so that every field is always there. */
function toCreator(info: CreatorInfo) {
  return {
    ...info,
    username: info.username ?? null,
    nickname: info.nickname ?? null,
    avatarUrl: info.avatarUrl ?? null,
    maxVideoDurationSeconds: info.maxVideoDurationSeconds ?? null,
  };
}
