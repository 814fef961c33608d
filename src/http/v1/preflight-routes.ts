import { publishRequestSchema } from '../../core/publish-request.ts';
import type { ApiOptions } from './api.ts';
import { jsonAnswer, problemResponses } from './api-answers.ts';
import { preflightSchema } from './preflight-schema.ts';
import type { ApiScope } from './typed-routes.ts';

/** Adds `/v1/preflight`. */
export function registerPreflightRoutes(
  api: ApiScope,
  { publisher, refuseFile }: Pick<ApiOptions, 'publisher' | 'refuseFile'>,
): void {
  api.post(
    '/v1/preflight',
    {
      schema: {
        operationId: 'preflightPublish',
        tags: ['Publishes'],
        summary: 'Check a request',
        description:
          'Looks into the video, the account, what TikTok allows its creator just now, and the limits; enqueues nothing. Takes one of the 20 questions a minute that TikTok answers about a creator. `file` sources are taken from below `MEDIA_ROOTS` only, as they lie on this machine.',
        body: publishRequestSchema,
        response: {
          200: jsonAnswer('What was found, whether it speaks against the request or not.', preflightSchema),
          ...problemResponses({
            403: '`INPUT_MEDIA_OUTSIDE_ROOTS`: such a file may not be published over REST.',
            413: true,
            415: true,
          }),
        },
      },
    },
    async ({ body }) => {
      if (body.media.type === 'file') await refuseFile(body.media.path);
      const { findings, ...report } = await publisher.preflight(body);
      return {
        ...report,
        findings: [...findings],
        facts: report.facts && { ...report.facts, unread: [...report.facts.unread] },
      };
    },
  );
}
