import { z } from 'zod';
import { jobQuerySchema } from '../../core/job-filter.ts';
import { accountNameSchema } from '../../core/publish-request.ts';

/**
 * The key in `metadata.<key>`, or in the way of OpenAPI `metadata[<key>]`. The one that is no field of an object, `__proto__`,
 * would be dropped, and all jobs found: such a name stays as it is, which is no parameter.
 */
function metadataKeyOf(name: string): string | undefined {
  const start = ['metadata.', 'metadata['].find((each) => name.startsWith(each));
  if (start === undefined || (start.endsWith('[') && !name.endsWith(']'))) return undefined;
  const key = name.slice(start.length, start.endsWith('[') ? -1 : undefined);
  return key === '__proto__' ? undefined : key;
}

/** One account; the library takes several. */
export const accountParameter = accountNameSchema
  .optional()
  .meta({ description: 'Jobs of this account only, by its own name.' });

/** The query of a search, as it stands in a URL. */
export const jobQueryString = z.preprocess(
  (given: unknown) => {
    if (typeof given !== 'object' || given === null) return given;
    const query: Record<string, unknown> = {};
    const metadata: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(given)) {
      const key = metadataKeyOf(name);
      if (key === undefined) query[name] = value;
      else metadata[key] = value;
    }
    return Object.keys(metadata).length === 0 ? query : { ...query, metadata };
  },
  jobQuerySchema.extend({ account: accountParameter }),
);
