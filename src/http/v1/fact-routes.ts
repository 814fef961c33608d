import { z } from 'zod';
import { FACT_NAMES } from '../../core/learned-facts.ts';
import { jsonAnswers } from './api-answers.ts';
import type { ApiOptions, ApiScope } from './typed-routes.ts';

const time = z.iso.datetime();

const EXAMPLE = {
  ...{ name: 'audited', value: false, account: null, jobId: '0194f2b0-7c1e-7e56-9a53-2f6d5f2f7b10' },
  ...{ learnedAt: '2026-12-01T10:00:00.000Z', validUntil: '2026-12-02T10:00:00.000Z' },
  text: 'TikTok has not audited the app: it refuses public posts, and posts to public accounts',
} as const;

const factSchema = z
  .object({
    name: z.enum(FACT_NAMES).describe('What is known.'),
    value: z.union([z.boolean(), z.number(), z.string()]).describe('What TikTok showed.'),
    account: z.string().nullable().describe('The account that it holds for; null: the whole app.'),
    learnedAt: time.describe('When TikTok last showed it.'),
    jobId: z.string().describe('The job whose answer showed it.'),
    validUntil: time.nullable().describe('When it no longer counts; null: when TikTok contradicts it.'),
    text: z.string().describe('The fact in words.'),
  })
  .meta({ id: 'LearnedFact', description: "Something that TikTok's answers showed.", examples: [EXAMPLE] });

const factListSchema = z
  .object({ facts: z.array(factSchema).describe('Oldest first.') })
  .meta({ id: 'LearnedFactList', description: 'All learned facts.', examples: [{ facts: [EXAMPLE] }] });

/** Adds `/v1/facts`. */
export function registerFactRoutes(api: ApiScope, { facts }: Pick<ApiOptions, 'facts'>): void {
  api.get(
    '/v1/facts',
    {
      config: { access: { scope: 'read', perAccount: false } },
      schema: {
        operationId: 'listFacts',
        tags: ['TikTok'],
        summary: 'List what was learned from TikTok',
        description:
          'What TikTok does not document or does not tell, learned from its answers to jobs, with source and age. Preflight and workers use it, and forget what TikTok contradicts.',
        response: jsonAnswers('All learned facts.', factListSchema),
      },
    },
    async () => ({ facts: await facts() }),
  );
}
