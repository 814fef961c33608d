import { z } from 'zod';
import { filesOf } from '../../core/media-route.ts';
import { publishRequestSchema } from '../../core/publish-request.ts';
import { jsonAnswers, REQUEST_PROBLEMS } from './api-answers.ts';
import { idempotencyKeySchema, keyOf } from './idempotency-key.ts';
import type { ApiOptions, ApiScope } from './typed-routes.ts';

const findingSchema = z
  .object({
    code: z.string().describe('For `refuse`: the error code with which the job would fail.'),
    severity: z
      .enum(['refuse', 'warn'])
      .describe(
        '`refuse`: the job would fail. `warn`: the job may fail or wait, or the post may differ from the request.',
      ),
    field: z
      .string()
      .meta({ description: 'The field of the request, or the part of the video.', examples: ['media.frameRate'] }),
    limit: z.string().nullable().describe('The allowed values, if there is a limit.'),
    found: z.string().describe('What was found.'),
    advice: z.string().describe('Recommended action.'),
  })
  .meta({ id: 'PreflightFinding', description: 'A finding of the preflight.' });

const codecSchema = {
  codec: z.string().nullable().describe('Codec, such as `h264`; null: unknown codec.'),
  codecId: z.string().nullable().describe('Codec id in the file, such as `avc1`.'),
};

const factsSchema = z
  .object({
    container: z.enum(['mp4', 'mov', 'webm']).describe('Container format.'),
    brand: z.string().nullable().describe('Major brand of an MP4 or MOV file.'),
    sizeBytes: z.int().describe('Size of the file.'),
    durationSeconds: z.number().nullable().describe('Duration of the video.'),
    videoTracks: z.int().describe('Number of video tracks.'),
    audioTracks: z.int().describe('Number of audio tracks.'),
    video: z
      .object({
        ...codecSchema,
        displayWidth: z.int().describe('As shown, after rotation.'),
        displayHeight: z.int().describe('As shown, after rotation.'),
        codedWidth: z.int().describe('As encoded.'),
        codedHeight: z.int().describe('As encoded.'),
        rotation: z.int().describe('Degrees.'),
        frameRate: z.number().nullable().describe('Average frames per second.'),
      })
      .nullable()
      .describe('The main video track.'),
    audio: z.object(codecSchema).nullable().describe('The main audio track.'),
    moov: z.enum(['front', 'end', 'missing']).nullable().describe('Position of the index in an MP4 or MOV file.'),
    fragmented: z.boolean().nullable().describe('Whether the file is fragmented, as from live encoders.'),
    missingBytes: z.number().describe('Bytes that are missing from the file.'),
    unread: z.array(z.string()).describe('What could not be read.'),
  })
  .meta({ id: 'MediaFacts', description: 'Properties read from the video file; null: not in the file.' });

const partSchema = z
  .union([
    z.object({ checked: z.literal(true).describe('The part was checked.') }),
    z.object({
      checked: z.literal(false).describe('The part was not checked.'),
      reason: z.string().describe('Why it was not checked.'),
    }),
  ])
  .meta({ id: 'CheckedPart', description: 'Whether a part was checked, or why not.' });

const preflightSchema = z
  .object({
    ok: z.boolean().describe('Whether the request would be accepted. The job may still have to wait.'),
    findings: z.array(findingSchema),
    facts: factsSchema.nullable().describe('Properties of the video; null: not read.'),
    checked: z.object({
      request: partSchema,
      media: partSchema,
      duplicates: partSchema,
      account: partSchema,
      creator: partSchema,
      quota: partSchema,
    }),
  })
  .meta({ id: 'PreflightReport', description: 'Result of checking a request before anything is sent.' });

/** Adds `/v1/preflight`. */
export function registerPreflightRoutes(api: ApiScope, { refuseFile }: Pick<ApiOptions, 'refuseFile'>): void {
  api.post(
    '/v1/preflight',
    {
      config: { access: { scope: 'enqueue', perAccount: true } },
      schema: {
        operationId: 'preflightPublish',
        tags: ['Publishes'],
        summary: 'Check a request',
        description:
          'Checks the time, the video, other jobs with the same video, the account, the current posting options of its creator, and the limits. Enqueues nothing. Uses one of the 20 creator queries a minute that TikTok allows. `file` sources must be on this machine, in a folder of `MEDIA_ROOTS`.',
        headers: z.object({
          'idempotency-key': idempotencyKeySchema.describe('The key with which the request would be enqueued.'),
        }),
        body: publishRequestSchema,
        response: jsonAnswers(
          'The result of the checks, whether the request can be published or not.',
          preflightSchema,
          REQUEST_PROBLEMS,
        ),
      },
    },
    async ({ body, headers, publisher }) => {
      for (const path of filesOf(body.media)) await refuseFile(path);
      const { findings, ...report } = await publisher.preflight(body, keyOf(headers));
      return {
        ...report,
        findings: [...findings],
        facts: report.facts && { ...report.facts, unread: [...report.facts.unread] },
      };
    },
  );
}
