import { z } from 'zod';

const findingSchema = z
  .object({
    code: z.string().meta({ description: 'Of a refusal: the error that the job would fail with.' }),
    severity: z.enum(['refuse', 'warn']).meta({
      description: '`refuse`: the job would fail. `warn`: it may fail, wait, or come out other than asked.',
    }),
    field: z.string().meta({ description: 'What it concerns.', examples: ['media.frameRate'] }),
    limit: z.string().nullable().meta({ description: 'What is allowed, where there is such a thing.' }),
    found: z.string().meta({ description: 'What was found.' }),
    advice: z.string().meta({ description: 'What a person can do.' }),
  })
  .meta({ id: 'PreflightFinding', description: 'One thing that a preflight found.' });

const codecSchema = {
  codec: z.string().nullable().meta({ description: 'Such as `h264`; null: not one we know.' }),
  codecId: z.string().nullable().meta({ description: 'Its name in the file, such as `avc1`.' }),
};

const factsSchema = z
  .object({
    container: z.enum(['mp4', 'mov', 'webm']).meta({ description: 'What kind of file it is.' }),
    brand: z.string().nullable().meta({ description: 'Major brand of an MP4 or MOV file.' }),
    sizeBytes: z.int().meta({ description: 'Size of the file.' }),
    durationSeconds: z.number().nullable().meta({ description: 'How long it is.' }),
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
        frameRate: z.number().nullable().meta({ description: 'Frames a second, on average.' }),
      })
      .nullable()
      .meta({ description: 'The main video track.' }),
    audio: z.object(codecSchema).nullable().meta({ description: 'The main audio track.' }),
    moov: z
      .enum(['front', 'end', 'missing'])
      .nullable()
      .meta({ description: 'Where an MP4 or MOV file keeps its index.' }),
    fragmented: z.boolean().nullable().meta({ description: 'Made of fragments, as live encoders do.' }),
    missingBytes: z.number().meta({ description: 'What the file says it holds and does not.' }),
    unread: z.array(z.string()).meta({ description: 'What could not be read.' }),
  })
  .meta({ id: 'MediaFacts', description: 'What the bytes of a video tell about it; null: not told.' });

const partSchema = z
  .union([
    z.object({ checked: z.literal(true).meta({ description: 'It was.' }) }),
    z.object({
      checked: z.literal(false).meta({ description: 'It was not.' }),
      reason: z.string().meta({ description: 'Why it was not checked.' }),
    }),
  ])
  .meta({ id: 'CheckedPart', description: 'Whether a part was checked, or why not.' });

/** What a preflight answers. */
export const preflightSchema = z
  .object({
    ok: z.boolean().meta({ description: 'Nothing was found for which the job would fail; it may still have to wait.' }),
    findings: z.array(findingSchema),
    facts: factsSchema.nullable().meta({ description: 'What the video is; null: not looked into.' }),
    checked: z.object({
      request: partSchema,
      media: partSchema,
      account: partSchema,
      creator: partSchema,
      quota: partSchema,
    }),
  })
  .meta({ id: 'PreflightReport', description: 'What is known of a request before anything of it is sent.' });
