import { type InputProblem, PublishError, toInputProblems } from './publish-error.ts';
import { type PublishRequest, parsePublishRequest, publishRequestSchema } from './publish-request.ts';

const INEXACT =
  'expected a number that JSON keeps exactly, from -(2^53-1) to 2^53-1: write it as a text, in quotation marks';

/**
 * Parses a request that is to be accepted. Stricter than what was accepted once: ids of 19 digits that a JSON parser has
 * rounded by now would be echoed wrong.
 * @throws PublishError as {@link parsePublishRequest}
 */
export function parseNewRequest(input: unknown): PublishRequest {
  const { metadata } = isObject(input) && 'metadata' in input ? input : {};
  const inexact = inexactNumbers(metadata, 'metadata');
  if (inexact.length === 0) return parsePublishRequest(input);
  const others = publishRequestSchema.safeParse({ ...Object(input), metadata: undefined });
  const problems = [...toInputProblems(others.error?.issues ?? [], 'request'), ...inexact];
  throw new PublishError('INPUT_INVALID', { problems });
}

/** An integer beyond 2^53 was rounded, whatever it was before; what JSON can't write at all is lost. */
function inexactNumbers(value: unknown, path: string): InputProblem[] {
  if (isObject(value)) {
    return Object.entries(value).flatMap(([name, inner]) => inexactNumbers(inner, `${path}.${name}`));
  }
  if (typeof value !== 'number' && typeof value !== 'bigint') return [];
  const isExact = Number.isSafeInteger(value) || (Number.isFinite(value) && !Number.isInteger(value));
  return isExact ? [] : [{ path, message: INEXACT }];
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
