import { z } from 'zod';
import { publishRequestSchema } from '../../core/publish-request.ts';

const time = z.iso.datetime();

export const accountParams = z.object({
  account: publishRequestSchema.shape.account.meta({
    description: 'Name of the account, or its TikTok open_id.',
    examples: ['acme'],
  }),
});

const accountFields = {
  account: z.string().meta({ description: 'Account name for publish requests.' }),
  openId: z.string().meta({ description: "TikTok's id (open_id) of the user for your app." }),
  scope: z.string().nullable().meta({ description: 'Comma-separated list of the granted scopes; null: unknown.' }),
  addedAt: time.meta({ description: 'When the account was first connected.' }),
  accessTokenExpiresAt: time
    .nullable()
    .meta({ description: 'When the access token expires. It is refreshed before then. null: unknown.' }),
  refreshTokenExpiresAt: time
    .nullable()
    .meta({ description: 'When the refresh token expires. Then the account must be connected again. null: unknown.' }),
  status: z.enum(['active', 'reauthorization_required', 'paused']).meta({
    description:
      '`active`; `paused`: its jobs wait until it is resumed; `reauthorization_required`: TikTok no longer accepts its tokens, so the owner must connect the account again.',
  }),
  clientKey: z.string().nullable().meta({
    description: 'First characters of the client key of the app to which the tokens belong; null: unknown.',
  }),
  otherApp: z.boolean().meta({
    description:
      'Whether the tokens belong to an app other than the configured one. TikTok no longer refreshes such tokens.',
  }),
};

const ACCOUNT_EXAMPLE = {
  ...{ account: 'acme', openId: '723f24d7-e717-40f8-a2b6-cb8464cd23b4', scope: 'video.publish,video.upload' },
  ...{ addedAt: '2026-11-22T09:00:00.000Z', accessTokenExpiresAt: '2026-11-23T09:00:00.000Z' },
  ...{ refreshTokenExpiresAt: '2027-11-22T09:00:00.000Z', status: 'active', clientKey: 'awx1…', otherApp: false },
} as const;

/** An account, without its tokens. */
export const accountSchema = z.object(accountFields).meta({
  id: 'Account',
  description: 'A TikTok account. Its tokens are never returned.',
  examples: [ACCOUNT_EXAMPLE],
});

export const connectedAccountSchema = z
  .object({
    ...accountFields,
    missingScopes: z.array(z.string()).meta({
      description: 'Scopes that publishing needs but the owner did not grant. Requests that need them will be refused.',
    }),
  })
  .meta({
    id: 'ConnectedAccount',
    description: 'An account that was just connected.',
    examples: [{ ...ACCOUNT_EXAMPLE, missingScopes: [] }],
  });

export const accountListSchema = z
  .object({ accounts: z.array(accountSchema).meta({ description: 'Oldest first.' }) })
  .meta({ id: 'AccountList', description: 'All connected accounts.', examples: [{ accounts: [ACCOUNT_EXAMPLE] }] });

export const removedAccountSchema = z
  .object({
    removed: z.string().meta({ description: 'Account name.' }),
    revoked: z.boolean().meta({ description: 'Whether TikTok has revoked the access.' }),
    problem: z
      .string()
      .optional()
      .meta({ description: 'Why the access could not be revoked. The owner can revoke it in the TikTok app.' }),
  })
  .meta({
    id: 'RemovedAccount',
    description: 'The account and its tokens were deleted here.',
    examples: [{ removed: 'acme', revoked: true }],
  });

export const creatorSchema = z
  .object({
    username: z.string().nullable().meta({ description: 'User name in the profile URL.' }),
    nickname: z
      .string()
      .nullable()
      .meta({ description: 'Display name. TikTok requires that the user sees the account to which they post.' }),
    avatarUrl: z.string().nullable().meta({ description: 'URL of the profile picture, valid for two hours.' }),
    privacyLevelOptions: z.array(z.string()).meta({ description: 'The privacy levels to offer. Offer no others.' }),
    commentDisabled: z.boolean().meta({ description: 'The creator has disabled comments.' }),
    duetDisabled: z.boolean().meta({ description: 'The creator has disabled duets.' }),
    stitchDisabled: z.boolean().meta({ description: 'The creator has disabled stitches.' }),
    maxVideoDurationSeconds: z
      .int()
      .nonnegative()
      .nullable()
      .meta({ description: 'Longest video that the creator can post.' }),
  })
  .meta({
    id: 'Creator',
    description: 'The current posting options of a creator. null: not reported by TikTok.',
    examples: [
      {
        ...{ username: 'acme', nickname: 'Acme Kitchen', avatarUrl: 'https://p16.tiktokcdn.com/acme.webp' },
        ...{ privacyLevelOptions: ['PUBLIC_TO_EVERYONE', 'SELF_ONLY'], maxVideoDurationSeconds: 600 },
        ...{ commentDisabled: false, duetDisabled: false, stitchDisabled: true },
      },
    ],
  });
