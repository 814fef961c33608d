import { z } from 'zod';
import { AUDIT_ACTIONS } from '../../core/access.ts';
import { DEFAULT_LISTED_JOBS, MAX_LISTED_JOBS } from '../../core/post-limits.ts';
import { jsonAnswers } from './api-answers.ts';
import type { ApiOptions, ApiScope } from './typed-routes.ts';

const MAX_TEXT_LENGTH = 300;

const values = z.record(z.string(), z.unknown()).nullable();

const entrySchema = z
  .object({
    id: z.string().describe('Place in the trail; newer lines are greater.'),
    at: z.iso.datetime().describe('When it was done.'),
    by: z.string().describe('Who did it: an API key, a person on the command line or the board, or this machine.'),
    action: z.enum(AUDIT_ACTIONS).describe('What was done.'),
    subject: z.string().describe('Id of the job, name of the account, or id of what else was changed.'),
    account: z.string().nullable().describe('The account that it concerns; null: none, or many.'),
    before: values.describe('What was changed, as it was.'),
    after: values.describe('What was changed, as it is since then.'),
  })
  .meta({ id: 'AuditEntry', description: 'A line of the audit trail.' });

const pageSchema = z
  .object({
    entries: z.array(entrySchema).describe('Newest first.'),
    nextCursor: z.string().nullable().describe('`cursor` of the next page; null on the last one.'),
  })
  .meta({
    id: 'AuditPage',
    description: 'A page of the audit trail. It may have fewer lines than `limit`, also if it is not the last one.',
    examples: [
      {
        nextCursor: null,
        entries: [
          {
            ...{ id: '1764583200000-0', at: '2026-12-01T10:00:00.000Z', by: 'key shop', action: 'publish.cancel' },
            ...{ subject: '0194f2b0-7c1e-7e56-9a53-2f6d5f2f7b10', account: 'acme' },
            ...{ before: { state: 'queued' }, after: { state: 'cancelled' } },
          },
        ],
      },
    ],
  });

const text = (description: string) => z.string().min(1).max(MAX_TEXT_LENGTH).optional().describe(description);

/** Adds `/v1/audit`. */
export function registerAuditRoutes(api: ApiScope, { audit }: Pick<ApiOptions, 'audit'>): void {
  api.get(
    '/v1/audit',
    {
      config: { access: { scope: 'admin', perAccount: false } },
      schema: {
        operationId: 'listAudit',
        tags: ['Keys'],
        summary: 'List what was changed, and by whom',
        description:
          'The newest 100,000 changes by people and API keys: to jobs, accounts, deliveries and keys. Who enqueued a job is in its timeline.',
        querystring: z.strictObject({
          account: text('Only changes that concern this account.'),
          subject: text('Only changes of this job, account or key.'),
          by: text('Only changes by this person or key, such as `key shop`.'),
          action: z.enum(AUDIT_ACTIONS).optional().describe('Only such changes.'),
          limit: z.coerce
            .number()
            .int()
            .min(1)
            .max(MAX_LISTED_JOBS)
            .default(DEFAULT_LISTED_JOBS)
            .describe('Maximum number of lines on a page.'),
          cursor: z.string().max(50).optional().describe('`nextCursor` of the previous page.'),
        }),
        response: jsonAnswers('A page of the trail.', pageSchema),
      },
    },
    async ({ query: { limit, cursor, ...filter } }) => await audit.list(filter, { limit, cursor }),
  );
}
