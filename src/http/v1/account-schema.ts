import { z } from 'zod';
import { publishRequestSchema } from '../../core/publish-request.ts';

const time = z.iso.datetime();

/** The name of an account, in the address. */
export const accountParams = z.object({
  account: publishRequestSchema.shape.account.meta({
    description: 'Name of the account, or its TikTok open_id.',
    examples: ['acme'],
  }),
});

const accountFields = {
  account: z.string().meta({ description: 'The name that publish requests use.' }),
  openId: z.string().meta({ description: "TikTok's id of the user for your app." }),
  scope: z.string().nullable().meta({ description: 'Comma list of what the user granted; null is unknown.' }),
  addedAt: time.meta({ description: 'When it was connected first.' }),
  accessTokenExpiresAt: time.nullable().meta({ description: 'It is renewed before; null is unknown.' }),
  refreshTokenExpiresAt: time.nullable().meta({ description: 'Then it must be connected again; null is unknown.' }),
  status: z.enum(['active', 'reauthorization_required', 'paused']).meta({
    description:
      '`active`; `paused`: its jobs wait until it is resumed; `reauthorization_required`: TikTok takes its tokens no more, so its owner has to connect it again.',
  }),
  clientKey: z.string().nullable().meta({
    description: 'The beginning of the client key of the app that the tokens were stored for; null is unknown.',
  }),
  otherApp: z.boolean().meta({
    description: 'Whether that is another app than the configured one, so that TikTok renews these tokens no more.',
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
  description: 'A TikTok account. Its tokens are never shown.',
  examples: [ACCOUNT_EXAMPLE],
});

/** An account that was connected just now. */
export const connectedAccountSchema = z
  .object({
    ...accountFields,
    missingScopes: z.array(z.string()).meta({
      description: 'What publishing needs and the owner did not grant: without it something will be refused.',
    }),
  })
  .meta({
    id: 'ConnectedAccount',
    description: 'An account that was connected just now.',
    examples: [{ ...ACCOUNT_EXAMPLE, missingScopes: [] }],
  });

/** All accounts. */
export const accountListSchema = z
  .object({ accounts: z.array(accountSchema).meta({ description: 'Oldest first.' }) })
  .meta({ id: 'AccountList', description: 'All connected accounts.', examples: [{ accounts: [ACCOUNT_EXAMPLE] }] });

/** An account that is gone. */
export const removedAccountSchema = z
  .object({
    removed: z.string().meta({ description: 'Its name.' }),
    revoked: z.boolean().meta({ description: 'Whether TikTok has ended the access.' }),
    problem: z.string().optional().meta({ description: 'Why TikTok could not be told; the owner can end it there.' }),
  })
  .meta({
    id: 'RemovedAccount',
    description: 'The account and its tokens are gone here.',
    examples: [{ removed: 'acme', revoked: true }],
  });

/** What a creator may post. */
export const creatorSchema = z
  .object({
    username: z.string().nullable().meta({ description: 'Name in the address of the profile.' }),
    nickname: z
      .string()
      .nullable()
      .meta({ description: 'Name to show: TikTok wants people to see whom they post as.' }),
    avatarUrl: z.string().nullable().meta({ description: 'Picture; the address works for two hours.' }),
    privacyLevelOptions: z.array(z.string()).meta({ description: 'The privacy levels to offer, and no others.' }),
    commentDisabled: z.boolean().meta({ description: 'Comments are off in the settings of the creator.' }),
    duetDisabled: z.boolean().meta({ description: 'Duets are off in the settings of the creator.' }),
    stitchDisabled: z.boolean().meta({ description: 'Stitches are off in the settings of the creator.' }),
    maxVideoDurationSeconds: z
      .int()
      .nonnegative()
      .nullable()
      .meta({ description: 'Longest video the creator may post.' }),
  })
  .meta({
    id: 'Creator',
    description: 'What a creator may post just now. Null is what TikTok did not say.',
    examples: [
      {
        ...{ username: 'acme', nickname: 'Acme Kitchen', avatarUrl: 'https://p16.tiktokcdn.com/acme.webp' },
        ...{ privacyLevelOptions: ['PUBLIC_TO_EVERYONE', 'SELF_ONLY'], maxVideoDurationSeconds: 600 },
        ...{ commentDisabled: false, duetDisabled: false, stitchDisabled: true },
      },
    ],
  });
