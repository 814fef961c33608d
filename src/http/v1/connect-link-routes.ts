import { z } from 'zod';
import { connectLinkRequestSchema } from '../../accounts/connect-link.ts';
import { BODY_PROBLEMS, jsonAnswer, problemResponses } from './api-answers.ts';
import type { ApiScope } from './typed-routes.ts';

const connectLinkSchema = z
  .object({
    account: z.string().describe('Name under which the account is stored.'),
    url: z
      .url()
      .describe(
        'Give it to the owner of the TikTok account. Whoever has it can connect the account, once, until it expires.',
      ),
    returnTo: z.url().nullable().describe('Where the browser goes in the end; null: to a page of the service.'),
    expiresAt: z.iso.datetime().describe('When the link stops working.'),
  })
  .meta({
    id: 'ConnectLink',
    description: 'A link that connects one TikTok account, once.',
    examples: [
      {
        ...{ account: 'acme', returnTo: 'https://app.example.com/settings?tab=tiktok' },
        url: 'https://publisher.example.com/connect/tiktok?link=q9y2cVwM3nXoB0dT6sJkLrEzUaPfHgI1xC4vN8mQ5Yw',
        expiresAt: '2026-11-22T10:00:00.000Z',
      },
    ],
  });

/** Adds `/v1/accounts/connect-links`. */
export function registerConnectLinkRoutes(api: ApiScope): void {
  api.post(
    '/v1/accounts/connect-links',
    {
      config: { access: { scope: 'operate', perAccount: true } },
      schema: {
        operationId: 'createConnectLink',
        tags: ['Accounts'],
        summary: 'Create a connect link',
        description:
          "Creates a link with which the owner of a TikTok account connects it on TikTok's consent page. The link works once. In the end the browser is redirected to `returnTo`, whose query parameters say what happened. Anyone can type such parameters: read the account to be sure.",
        body: connectLinkRequestSchema,
        response: {
          201: jsonAnswer('The link.', connectLinkSchema),
          ...problemResponses({
            ...BODY_PROBLEMS,
            503: '`CONFIG_INVALID`: `PUBLIC_BASE_URL` is not set. `CONFIG_CLIENT_CREDENTIALS_MISSING`: the credentials of the TikTok app are not set.',
          }),
        },
      },
    },
    async ({ body, publisher }, reply) => reply.code(201).send(await publisher.connectLink(body)),
  );
}
