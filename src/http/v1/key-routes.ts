import { z } from 'zod';
import { keyRequestSchema, SCOPES } from '../../core/access.ts';
import { HttpProblem } from '../problem.ts';
import { BODY_PROBLEMS, jsonAnswer, jsonAnswers, problemResponses } from './api-answers.ts';
import { nameOf } from './callers.ts';
import type { ApiOptions, ApiScope } from './typed-routes.ts';

const TAGS = ['Keys'];
const PATH = '/v1/keys';
const ADMINS = { access: { scope: 'admin', perAccount: false } } as const;

const time = z.iso.datetime();

const keyFields = {
  id: z.string().describe('Id of the key, to revoke it.'),
  name: z.string().describe('Who uses the key.'),
  scopes: z.array(z.enum(SCOPES)).describe('What the key may do.'),
  accounts: z.array(z.string()).nullable().describe('The only accounts that exist for the key; null: all.'),
  createdAt: time.describe('When the key was created.'),
  createdBy: z.string().describe('Who created it.'),
  expiresAt: time.nullable().describe('When the key stops working; null: never.'),
};

const EXAMPLE = {
  ...{ id: '6f1c1c0e-6f7e-4b0c-9a51-0d3f4f1f2a3b', name: 'shop', accounts: ['acme'], createdBy: 'API_KEYS 1' },
  ...{ createdAt: '2026-12-01T10:00:00.000Z', expiresAt: null, scopes: ['read', 'enqueue'] as const },
};

const keySchema = z
  .object(keyFields)
  .meta({ id: 'ApiKey', description: 'An API key, without its text.', examples: [EXAMPLE] });

const createdKeySchema = z
  .object({ ...keyFields, key: z.string().describe('The key itself. It is shown only now: store it.') })
  .meta({
    id: 'CreatedApiKey',
    description: 'An API key that was just created.',
    examples: [{ ...EXAMPLE, key: 'tpk_<43 characters>' }],
  });

const keyListSchema = z
  .object({ keys: z.array(keySchema).describe('Oldest first.') })
  .meta({ id: 'ApiKeyList', description: 'All API keys that work now.', examples: [{ keys: [EXAMPLE] }] });

const NOT_FOUND = { 404: '`API_KEY_NOT_FOUND`: no key has this id, or it has expired.' };

/** Adds `/v1/keys`. */
export function registerKeyRoutes(api: ApiScope, { keys }: Pick<ApiOptions, 'keys'>): void {
  api.get(
    PATH,
    {
      config: ADMINS,
      schema: {
        operationId: 'listKeys',
        tags: TAGS,
        summary: 'List API keys',
        description: 'The keys of `API_KEYS` are not among them: they are settings.',
        response: jsonAnswers('All keys that work now.', keyListSchema),
      },
    },
    async () => ({ keys: await keys.list() }),
  );
  api.post(
    PATH,
    {
      config: ADMINS,
      schema: {
        operationId: 'createKey',
        tags: TAGS,
        summary: 'Create an API key',
        description: 'The response is the only place that shows the key. It works at once, at every web server.',
        body: keyRequestSchema,
        response: { 201: jsonAnswer('The key.', createdKeySchema), ...problemResponses(BODY_PROBLEMS) },
      },
    },
    async ({ body, caller }, reply) => {
      const made = await keys.create(body, nameOf(caller));
      return reply.code(201).send(made);
    },
  );
  api.delete(
    `${PATH}/:id`,
    {
      config: ADMINS,
      schema: {
        operationId: 'revokeKey',
        tags: TAGS,
        summary: 'Revoke an API key',
        description: 'It stops working at once, also for event streams that are opened again.',
        params: z.object({ id: z.string().min(1).max(100).describe('Id of the key.') }),
        response: jsonAnswers('The key was revoked.', keySchema, NOT_FOUND),
      },
    },
    async ({ params: { id }, caller }) => {
      const revoked = await keys.revoke(id, nameOf(caller));
      if (revoked === undefined) throw keyNotFound();
      return revoked;
    },
  );
}

/** No key has an id. */
export function keyNotFound(): HttpProblem {
  const detail = 'No key has this id: it was revoked, or has expired. See GET /v1/keys.';
  return new HttpProblem({ status: 404, code: 'API_KEY_NOT_FOUND', detail });
}
