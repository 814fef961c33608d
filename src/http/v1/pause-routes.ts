import { z } from 'zod';
import { pauseRequestSchema } from '../../core/publishing-pause.ts';
import { BODY_PROBLEMS, jsonAnswers } from './api-answers.ts';
import type { ApiScope } from './typed-routes.ts';

const time = z.iso.datetime();

const pauseSchema = z
  .object({
    paused: z.boolean().describe('Whether all publishing is paused.'),
    reason: z.string().nullable().describe('Why, if somebody said so.'),
    until: time.nullable().describe('When it ends by itself; null: when somebody resumes.'),
    since: time.nullable().describe('Since when.'),
    by: z.string().nullable().describe('Who paused.'),
  })
  .meta({
    id: 'PublishingPause',
    description: 'Whether all publishing is paused, and why.',
    examples: [
      {
        ...{ paused: true, reason: 'TikTok is down', until: '2026-12-01T12:00:00.000Z' },
        ...{ since: '2026-12-01T10:00:00.000Z', by: 'key ops' },
      },
    ],
  });

const NOT_PAUSED = { paused: false, reason: null, until: null, since: null, by: null };

/** Adds `/v1/pause` and `/v1/resume`. */
export function registerPauseRoutes(api: ApiScope): void {
  const tags = ['Publishes'];
  const answers = jsonAnswers('The pause as it is now.', pauseSchema);
  api.get(
    '/v1/pause',
    {
      config: { access: { scope: 'read', perAccount: false } },
      schema: { operationId: 'getPause', tags, summary: 'Get the pause of all publishing', response: answers },
    },
    async ({ publisher }) => ({ ...NOT_PAUSED, ...(await shown(publisher.paused())) }),
  );
  api.post(
    '/v1/pause',
    {
      config: { access: { scope: 'operate', perAccount: false } },
      schema: {
        ...{ operationId: 'pausePublishing', tags, summary: 'Pause all publishing' },
        description:
          'Nothing new is sent to TikTok. Uploads under way finish, and the status of posts is still checked. Jobs are accepted and wait for `publishing_paused`.',
        body: pauseRequestSchema.nullish(),
        response: jsonAnswers('The pause as it is now.', pauseSchema, BODY_PROBLEMS),
      },
    },
    async ({ body, publisher }) => ({ ...NOT_PAUSED, ...(await shown(publisher.pause(body ?? {}))) }),
  );
  api.post(
    '/v1/resume',
    {
      config: { access: { scope: 'operate', perAccount: false } },
      schema: { operationId: 'resumePublishing', tags, summary: 'Resume all publishing', response: answers },
    },
    async ({ publisher }) => {
      await publisher.resume();
      return NOT_PAUSED;
    },
  );
}

async function shown(reading: Promise<object | null>) {
  const pause = await reading;
  return pause === null ? undefined : { ...pause, paused: true };
}
