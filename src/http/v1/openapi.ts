import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { tidyComponents } from './openapi-components.ts';

const INFO = `A background job queue that publishes videos to TikTok: never twice, never lost, and every job state is accurate.

**To start**, connect an account (\`PUT /v1/accounts/{account}\`, or the OAuth page \`/connect/tiktok\`), then enqueue a job with
\`POST /v1/publishes\` and follow the job with \`GET /v1/publishes/{id}\` or its events.

**Keys**: send one of \`API_KEYS\` as \`Authorization: Bearer <key>\`. A server without keys accepts requests only from its own machine, and needs no key.

**Retries are safe** with the header \`Idempotency-Key\`: the same key with the same request returns the same job, so repeat a
\`POST\` whose response was lost.

**Errors** are problem documents (RFC 9457). Match on \`code\`; \`detail\` says what to do. Unknown parameters and fields are
rejected, so a typo is not silently ignored.

**Limits**: bodies of 64 KiB; requests per minute and key: see the headers \`ratelimit-limit\`, \`ratelimit-remaining\` and \`ratelimit-reset\`.`;

const TAGS = [
  { name: 'Publishes', description: 'Jobs: enqueue, get, cancel, retry.' },
  { name: 'Events', description: 'Events of jobs and accounts, in real time: server-sent events.' },
  { name: 'Callbacks', description: 'Deliveries of events to callback URLs: get, replay, resume.' },
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
