import { z } from 'zod';

/** A problem document (RFC 9457). */
export const problemSchema = z
  .object({
    type: z.string().meta({ description: 'Always `about:blank`. Use `code` instead.' }),
    title: z.string().meta({ description: 'Name of the HTTP status.' }),
    status: z.int().meta({ description: 'HTTP status.' }),
    code: z.string().meta({ description: 'Stable error code. Match on it, never on the texts.' }),
    detail: z.string().meta({ description: 'Human-readable text: what is wrong and how to fix it.' }),
    problems: z
      .array(
        z.object({
          path: z.string().meta({ description: 'The field, such as `post.privacyLevel`.' }),
          message: z.string().meta({ description: 'What is wrong with it.' }),
        }),
      )
      .optional()
      .meta({ description: 'Each invalid input field.' }),
  })
  .meta({
    id: 'Problem',
    description: 'A problem document (RFC 9457).',
  });
