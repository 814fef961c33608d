import { STATUS_CODES } from 'node:http';
import { z } from 'zod';
import { PROBLEM_MEDIA_TYPE } from '../problem.ts';

const problemAnswer = z.looseObject({
  description: z.string(),
  content: z.object({ [PROBLEM_MEDIA_TYPE]: z.looseObject({}) }),
});

/** The part of an OpenAPI document that this looks at. */
interface Document {
  readonly paths?: unknown;
  readonly components?: { readonly schemas?: Readonly<Record<string, unknown>> };
}

const REF_PATH = '#/components/schemas/';
const INPUT_SUFFIX = 'Input';

/**
 * The zod provider writes each named schema twice, as it is read and as it is sent. This leaves those that are used, and
 * gives one that is only read, or the same both ways, its plain name, which clients made from the document show to people.
 */
export function tidyComponents<T extends Document>(document: T): T {
  const schemas = document.components?.schemas ?? {};
  const used = usedNames(document.paths, schemas);
  const nameOf = (name: string): string => {
    const plain = name.endsWith(INPUT_SUFFIX) ? name.slice(0, -INPUT_SUFFIX.length) : name;
    const isOther = used.has(plain) && JSON.stringify(schemas[plain]) !== JSON.stringify(schemas[name]);
    return isOther ? name : plain;
  };
  const kept = Object.fromEntries([...used].sort().map((name) => [nameOf(name), schemas[name]]));
  const whole = { ...document, components: { ...document.components, schemas: kept } };
  const tidy: T = JSON.parse(
    JSON.stringify(whole, (key, value: unknown) => {
      if (key === '$ref' && typeof value === 'string') return REF_PATH + nameOf(value.slice(REF_PATH.length));
      if (key === 'responses') return withProblemExamples(value);
      return key === 'requestBody' ? withoutNull(value) : value;
    }),
  );
  return tidy;
}

const nullableBody = z.object({
  content: z.object({
    'application/json': z.object({
      schema: z.object({ anyOf: z.tuple([z.unknown(), z.object({ type: z.literal('null') })]) }),
    }),
  }),
});

/** A body that may be null is one that may be left out. */
function withoutNull(body: unknown): unknown {
  const found = nullableBody.safeParse(body);
  if (!found.success) return body;
  const [schema] = found.data.content['application/json'].schema.anyOf;
  return { required: false, content: { 'application/json': { schema } } };
}

/** The schemas that something refers to, and those that these refer to. */
function usedNames(root: unknown, schemas: Readonly<Record<string, unknown>>): ReadonlySet<string> {
  const used = new Set<string>();
  const open: unknown[] = [root];
  for (const part of open) {
    for (const [, name = ''] of JSON.stringify(part ?? null).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)) {
      if (used.has(name)) continue;
      used.add(name);
      open.push(schemas[name]);
    }
  }
  return used;
}

/** The answers of an operation, with an example at each problem: its status, and the first code of its description. */
function withProblemExamples(answers: unknown): unknown {
  if (typeof answers !== 'object' || answers === null) return answers;
  return Object.fromEntries(
    Object.entries(answers).map(([status, answer]) => {
      const found = problemAnswer.safeParse(answer);
      if (!found.success) return [status, answer];
      const code = /`([A-Z_]+)`/.exec(found.data.description)?.[1] ?? 'INTERNAL_ERROR';
      const example = {
        ...{ type: 'about:blank', title: STATUS_CODES[status], status: Number(status), code },
        detail: 'What is wrong, and what to do.',
        ...(code === 'INPUT_INVALID' && { problems: [{ path: 'mode', message: 'expected "direct" or "inbox"' }] }),
      };
      return [
        status,
        { ...found.data, content: { [PROBLEM_MEDIA_TYPE]: { ...found.data.content[PROBLEM_MEDIA_TYPE], example } } },
      ];
    }),
  );
}
