import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { tidyComponents } from './openapi-components.ts';

const INFO = `A background job queue that publishes videos to TikTok: never twice, never lost, and every job state is accurate.

**Begin** by connecting an account (\`PUT /v1/accounts/{account}\`, or the OAuth page \`/connect/tiktok\`), then enqueue with
\`POST /v1/publishes\` and follow the job with \`GET /v1/publishes/{id}\` or its events.

**Keys**: send one of \`API_KEYS\` as \`Authorization: Bearer <key>\`. A server without keys serves its own machine only, and needs none.

**Repeating is safe** with the header \`Idempotency-Key\`: the same key with the same request answers the same job, so repeat a
\`POST\` whose answer was lost.

**Errors** are problem documents (RFC 9457). Match on \`code\`; \`detail\` says what to do. Parameters and fields that are not known are
refused, so that a typo is not silently ignored.

**Limits**: bodies of 64 KiB; requests per minute and key as the headers \`ratelimit-limit\`, \`ratelimit-remaining\` and \`ratelimit-reset\` say.`;

const TAGS = [
  { name: 'Publishes', description: 'Jobs: enqueue, look at, cancel, retry.' },
  { name: 'Events', description: 'What happens to jobs, as it happens: server-sent events.' },
  { name: 'Callbacks', description: 'Deliveries of events to callback URLs: look at, replay, resume.' },
  { name: 'Accounts', description: 'The TikTok accounts that jobs publish to.' },
];

/** Documents the routes that are added to the scope after this. */
export async function documentApi(scope: FastifyInstance, version: string): Promise<void> {
  await scope.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'tiktok-publisher', version, description: INFO, license: { name: 'MIT', identifier: 'MIT' } },
      tags: TAGS,
      components: {
        securitySchemes: { bearer: { type: 'http', scheme: 'bearer', description: 'One of `API_KEYS`.' } },
      },
      security: [{ bearer: [] }],
    },
    transform: jsonSchemaTransform,
    transformObject: (document) => tidyComponents(jsonSchemaTransformObject(document)),
  });
}
