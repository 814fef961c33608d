import type { z } from 'zod';

/**
 * Reads stored JSON. @returns undefined where this version does not know its form: a newer one may run beside it, and
 * others may have written to the same place
 */
export function parseStored<T>(schema: z.ZodType<T>, text: string): T | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
