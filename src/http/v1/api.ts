import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { sendProblem } from '../problem.ts';
import { registerAccountRoutes } from './account-routes.ts';
import { prepareApiScope } from './api-scope.ts';
import { registerAuditRoutes } from './audit-routes.ts';
import { registerCallbackRoutes } from './callback-routes.ts';
import { registerConnectLinkRoutes } from './connect-link-routes.ts';
import { registerDocs } from './docs-page.ts';
import { registerEventRoutes } from './event-routes.ts';
import { registerFactRoutes } from './fact-routes.ts';
import { registerKeyRoutes } from './key-routes.ts';
import { tidyComponents } from './openapi-components.ts';
import { registerOperationRoutes } from './operation-routes.ts';
import { registerPauseRoutes } from './pause-routes.ts';
import { registerPreflightRoutes } from './preflight-routes.ts';
import { registerPublishRoutes } from './publish-routes.ts';
import { registerStatisticsRoutes } from './statistics-routes.ts';
import { registerSubscriptionRoutes } from './subscription-routes.ts';
import type { ApiOptions, ApiTypes } from './typed-routes.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

const INFO = `A background job queue that publishes videos to TikTok: never twice, never lost, and every job state is accurate.

**To start**, connect an account (\`POST /v1/accounts/connect-links\` creates a link for its owner, \`PUT /v1/accounts/{account}\` takes tokens), then enqueue a job with
\`POST /v1/publishes\` and follow the job with \`GET /v1/publishes/{id}\` or its events.

**Keys**: send one of \`API_KEYS\`, which may do everything, or a key made by \`POST /v1/keys\`, as \`Authorization: Bearer <key>\`. Such a key has scopes (each route names the one that it needs), and may be limited to some accounts: others do not exist for it. A server without \`API_KEYS\` accepts requests without a key from its own machine.

**Retries are safe** with the header \`Idempotency-Key\`: the same key with the same request returns the same job, so repeat a
\`POST\` whose response was lost.

**Errors** are problem documents (RFC 9457). Match on \`code\`; \`detail\` says what to do. Unknown parameters and fields are
rejected, so a typo is not silently ignored.

**Limits**: bodies of 64 KiB; requests per minute and key: see the headers \`ratelimit-limit\`, \`ratelimit-remaining\` and \`ratelimit-reset\`.`;

const TAGS = [
  { name: 'Publishes', description: 'Jobs: enqueue, get, cancel, retry.' },
  { name: 'Operations', description: 'Retry, cancel or reschedule many jobs, each in the way that is safe.' },
  { name: 'Events', description: 'Events of jobs and accounts, in real time: server-sent events.' },
  { name: 'Callbacks', description: 'Deliveries of events to callback URLs and subscriptions.' },
  { name: 'Accounts', description: 'The TikTok accounts that jobs publish to.' },
  { name: 'Keys', description: 'API keys, and the audit trail of what was done with them.' },
  { name: 'TikTok', description: "What TikTok's answers have shown." },
];

interface ApiPlace {
  readonly host: string;
  /** Path below which a proxy serves us; empty where there is none. */
  readonly basePath: string;
}

/** Adds the API under `/v1`, `/openapi.json` and `/docs`. */
export async function registerApi(
  server: FastifyInstance,
  options: ApiOptions,
  { host, basePath }: ApiPlace,
): Promise<void> {
  await server.register(async (outer) => {
    await documentApi(outer, { version: options.version, basePath });
    await outer.register(async (scope) => {
      const addOtherMethods = answerOtherMethods(scope);
      await prepareApiScope(scope, { ...options, host });
      const api = scope.withTypeProvider<ApiTypes>();
      registerPublishRoutes(api, { ...options, basePath });
      registerOperationRoutes(api);
      registerPauseRoutes(api);
      registerStatisticsRoutes(api, options);
      registerPreflightRoutes(api, options);
      registerEventRoutes(api, options);
      registerAccountRoutes(api);
      registerConnectLinkRoutes(api);
      registerCallbackRoutes(api);
      registerFactRoutes(api, options);
      registerSubscriptionRoutes(api, options);
      registerKeyRoutes(api, options);
      registerAuditRoutes(api, options);
      addOtherMethods();
    });
    await registerDocs(outer, basePath);
  });
}

/** Documents the routes that are added to the scope after this. */
async function documentApi(
  scope: FastifyInstance,
  { version, basePath }: { readonly version: string; readonly basePath: string },
): Promise<void> {
  await scope.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'tiktok-publisher', version, description: INFO, license: { name: 'MIT', identifier: 'MIT' } },
      ...(basePath !== '' && { servers: [{ url: basePath }] }),
      tags: TAGS,
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', description: 'One of `API_KEYS`, or a key of `POST /v1/keys`.' },
        },
      },
      security: [{ bearer: [] }],
    },
    transform: jsonSchemaTransform,
    transformObject: (document) => tidyComponents(jsonSchemaTransformObject(document)),
  });
}

/**
 * Answers the methods that an address does not have with 405 and those that it has, and OPTIONS with them alone: no other
 * site may use the API in a browser (CORS is off).
 * @returns to be called once all routes are there
 */
function answerOtherMethods(scope: FastifyInstance): () => void {
  const known = new Map<string, Set<string>>();
  scope.addHook('onRoute', ({ url, method }) => {
    const methods = known.get(url) ?? new Set();
    for (const one of [method].flat()) methods.add(one);
    known.set(url, methods);
  });
  return () => {
    for (const [url, methods] of [...known]) {
      const allow = [...methods, 'OPTIONS'].join(', ');
      const others = METHODS.filter((method) => !methods.has(method));
      scope.route({
        ...{ url, method: others, schema: { hide: true }, config: { access: { scope: 'read', perAccount: true } } },
        onRequest: async (request, reply) => {
          reply.header('allow', allow);
          if (request.method === 'OPTIONS') return await reply.code(204).send();
          const detail = `${request.method} is not allowed here. Allowed: ${allow}.`;
          return await sendProblem(reply, { status: 405, code: 'METHOD_NOT_ALLOWED', detail });
        },
        handler: async () => undefined,
      });
    }
  };
}
