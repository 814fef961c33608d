import { z } from 'zod';

const findingSchema = z
  .object({
    code: z.string().meta({ description: 'For `refuse`: the error code with which the job would fail.' }),
    severity: z.enum(['refuse', 'warn']).meta({
      description:
        '`refuse`: the job would fail. `warn`: the job may fail or wait, or the post may differ from the request.',
    }),
    field: z
      .string()
      .meta({ description: 'The field of the request, or the part of the video.', examples: ['media.frameRate'] }),
    limit: z.string().nullable().meta({ description: 'The allowed values, if there is a limit.' }),
    found: z.string().meta({ description: 'What was found.' }),
    advice: z.string().meta({ description: 'Recommended action.' }),
  })
  .meta({ id: 'PreflightFinding', description: 'A finding of the preflight.' });

const codecSchema = {
  codec: z.string().nullable().meta({ description: 'Codec, such as `h264`; null: unknown codec.' }),
  codecId: z.string().nullable().meta({ description: 'Codec id in the file, such as `avc1`.' }),
};

const factsSchema = z
  .object({
    container: z.enum(['mp4', 'mov', 'webm']).meta({ description: 'Container format.' }),
    brand: z.string().nullable().meta({ description: 'Major brand of an MP4 or MOV file.' }),
    sizeBytes: z.int().meta({ description: 'Size of the file.' }),
    durationSeconds: z.number().nullable().meta({ description: 'Duration of the video.' }),
    videoTracks: z.int().meta({ description: 'Number of video tracks.' }),
    audioTracks: z.int().meta({ description: 'Number of audio tracks.' }),
    video: z
      .object({
        ...codecSchema,
        displayWidth: z.int().meta({ description: 'As shown, after rotation.' }),
        displayHeight: z.int().meta({ description: 'As shown, after rotation.' }),
        codedWidth: z.int().meta({ description: 'As encoded.' }),
        codedHeight: z.int().meta({ description: 'As encoded.' }),
        rotation: z.int().meta({ description: 'Degrees.' }),
        frameRate: z.number().nullable().meta({ description: 'Average frames per second.' }),
      })
      .nullable()
      .meta({ description: 'The main video track.' }),
    audio: z.object(codecSchema).nullable().meta({ description: 'The main audio track.' }),
    moov: z
      .enum(['front', 'end', 'missing'])
      .nullable()
      .meta({ description: 'Position of the index in an MP4 or MOV file.' }),
    fragmented: z.boolean().nullable().meta({ description: 'Whether the file is fragmented, as from live encoders.' }),
    missingBytes: z.number().meta({ description: 'Bytes that are missing from the file.' }),
    unread: z.array(z.string()).meta({ description: 'What could not be read.' }),
  })
  .meta({ id: 'MediaFacts', description: 'Properties read from the video file; null: not in the file.' });

const partSchema = z
  .union([
    z.object({ checked: z.literal(true).meta({ description: 'The part was checked.' }) }),
    z.object({
      checked: z.literal(false).meta({ description: 'The part was not checked.' }),
      reason: z.string().meta({ description: 'Why it was not checked.' }),
    }),
  ])
  .meta({ id: 'CheckedPart', description: 'Whether a part was checked, or why not.' });

export const preflightSchema = z
  .object({
    ok: z.boolean().meta({ description: 'Whether the request would be accepted. The job may still have to wait.' }),
    findings: z.array(findingSchema),
    facts: factsSchema.nullable().meta({ description: 'Properties of the video; null: not read.' }),
    checked: z.object({
      request: partSchema,
      media: partSchema,
      account: partSchema,
      creator: partSchema,
      quota: partSchema,
    }),
  })
  .meta({ id: 'PreflightReport', description: 'Result of checking a request before anything is sent.' });
