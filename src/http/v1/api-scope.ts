import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { PublishError, toInputProblems } from '../../core/publish-error.ts';
import { parsePublishRequest, publishRequestSchema } from '../../core/publish-request.ts';
import { boundLists } from './bound-lists.ts';
import { addCallers, type CallerRules, refuseCallers } from './callers.ts';

/** Largest body: a caption of the longest kind with every character escaped takes less than half of it. */
const MAX_BODY_BYTES = 65_536;

/**
 * Prepares a scope for routes typed by zod schemas: who may call, how often, how large, and how input is checked.
 * @param scope a Fastify scope of its own
 */
export async function prepareApiScope(scope: FastifyInstance, rules: CallerRules): Promise<void> {
  readJsonOnly(scope);
  scope.setValidatorCompiler<z.ZodType>(({ schema, httpPart }) => inputCheck(schema, httpPart ?? 'request'));
  // Typed where it is written, so there is nothing to check: an answer must never be lost to a field too many.
  scope.setSerializerCompiler(() => (answer) => JSON.stringify(answer));
  addCallers(scope, rules);
  // Before strangers are refused, so that guessing keys is slow as well.
  scope.addHook('onRequest', scope.rateLimit());
  refuseCallers(scope, rules);
  boundLists(scope);
  scope.addHook('onRequest', async (_request, reply) => void reply.header('cache-control', 'no-store'));
  refuseWhatNoRouteNames(scope);
}

/** An empty body counts as none: clients made by generators send it, named as JSON, where a body may be left out. */
function readJsonOnly(scope: FastifyInstance): void {
  const parse = scope.getDefaultJsonParser('error', 'error');
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body.length === 0) done(null, undefined);
    else parse(request, String(body), done);
  });
}

function inputCheck(schema: z.ZodType, part: string) {
  return (input: unknown) => {
    try {
      // It has errors of its own for requests of other versions.
      if (schema === publishRequestSchema) return { value: parsePublishRequest(input) };
      const { success, data, error } = schema.safeParse(input);
      if (success) return { value: data };
      return { error: new PublishError('INPUT_INVALID', { problems: toInputProblems(error.issues, part) }) };
    } catch (error) {
      if (error instanceof PublishError) return { error };
      if (!(error instanceof RangeError)) throw error;
      const problems = [{ path: part, message: 'expected fewer levels of nesting' }];
      return { error: new PublishError('INPUT_INVALID', { problems }, { cause: error }) };
    }
  };
}

const NO_QUERY = z.strictObject({});

/** A misspelt parameter of a list would else answer more than was asked for; a wrong method gets the right ones. */
function refuseWhatNoRouteNames(scope: FastifyInstance): void {
  scope.addHook('onRoute', (route) => {
    route.schema = { querystring: NO_QUERY, ...route.schema };
    route.bodyLimit ??= MAX_BODY_BYTES;
  });
}
