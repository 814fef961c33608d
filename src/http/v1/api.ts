import type { FastifyInstance } from 'fastify';
import type { ManagedAccounts } from '../../accounts/managed-accounts.ts';
import type { CallbackDesk } from '../../callbacks/callback-desk.ts';
import type { CreatorInfo } from '../../core/creator-rules.ts';
import type { Publisher } from '../../producers/publisher.ts';
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
import type { ApiTypes } from './typed-routes.ts';

/** What the API under `/v1` needs. */
export interface ApiOptions {
  /** Bearer keys; without any the API is served to this machine only. */
  readonly apiKeys: readonly string[];
  /** Requests that one caller may make in a minute, as counted by this process. */
  readonly requestsPerMinute: number;
  readonly publisher: Pick<Publisher, 'enqueue' | 'get' | 'list' | 'cancel' | 'retry' | 'events' | 'preflight'>;
  readonly accounts: ManagedAccounts;
  readonly callbacks: CallbackDesk;
  /** Asks TikTok what an account may post just now. @throws PublishError */
  readonly askCreator: (account: string) => Promise<CreatorInfo>;
  /**
   * Refuses files that callers over the network may not have published. The worker looks again.
   * @throws PublishError `INPUT_MEDIA_OUTSIDE_ROOTS`
   */
  readonly refuseFile: (path: string) => Promise<void>;
  /** Of this program. */
  readonly version: string;
}

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
