import { publishRequestSchema } from '../../core/publish-request.ts';
import { jsonAnswer, problemResponses } from './api-answers.ts';
import { preflightSchema } from './preflight-schema.ts';
import type { ApiOptions, ApiScope } from './typed-routes.ts';

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
          'Checks the video, the account, the current posting options of its creator, and the rate limits. Enqueues nothing. Uses one of the 20 creator queries a minute that TikTok allows. `file` sources must be on this machine, in a folder of `MEDIA_ROOTS`.',
        body: publishRequestSchema,
        response: {
          200: jsonAnswer('The result of the checks, whether the request can be published or not.', preflightSchema),
          ...problemResponses({
            403: '`INPUT_MEDIA_OUTSIDE_ROOTS`: this file cannot be published over REST.',
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
