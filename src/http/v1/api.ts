import type { FastifyInstance } from 'fastify';
import type { ApiAccess } from '../api-guard.ts';
import { registerAccountRoutes } from './account-routes.ts';
import { prepareApiScope } from './api-scope.ts';
import { registerCallbackRoutes } from './callback-routes.ts';
import { registerDocs } from './docs-page.ts';
import { registerEventRoutes } from './event-routes.ts';
import { documentApi } from './openapi.ts';
import { answerOtherMethods } from './other-methods.ts';
import { registerPreflightRoutes } from './preflight-routes.ts';
import { registerPublishRoutes } from './publish-routes.ts';
import type { ApiOptions, ApiTypes } from './typed-routes.ts';

/** Adds the API under `/v1`, `/openapi.json` and `/docs`. */
export async function registerApi(
  server: FastifyInstance,
  options: ApiOptions,
  host: ApiAccess['host'],
): Promise<void> {
  await server.register(async (outer) => {
    await documentApi(outer, options.version);
    await outer.register(async (scope) => {
      const addOtherMethods = answerOtherMethods(scope);
      await prepareApiScope(scope, { ...options, host });
      const api = scope.withTypeProvider<ApiTypes>();
      registerPublishRoutes(api, options);
      registerPreflightRoutes(api, options);
      registerEventRoutes(api, options);
      registerAccountRoutes(api, options);
      registerCallbackRoutes(api, options.callbacks);
      addOtherMethods();
    });
    await registerDocs(outer);
  });
}
