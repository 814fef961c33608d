import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { isLoopbackHost } from './loopback-host.ts';
import { MAX_PHOTOS } from './post-limits.ts';

/** S3's own bounds: names of buckets, and keys in bytes of UTF-8. */
const MAX_BUCKET_LENGTH = 255;
const MAX_OBJECT_KEY_BYTES = 1_024;
const MAX_URL_LENGTH = 8_192;
/** Longest path that Linux opens, in bytes. */
const MAX_PATH_LENGTH = 4_096;

/** Any address on the web. */
export const webUrl = z
  .url({
    protocol: /^https?$/,
    abort: true,
    error: ({ input }) =>
      isFileUrl(input)
        ? 'expected an http:// or https:// URL; publish a local file with media.type "file" and its path'
        : 'expected an http:// or https:// URL',
  })
  .max(MAX_URL_LENGTH);

/** An address that TikTok or a receiver is reached by: https, or plain http to this very machine. */
const secureUrl = webUrl.refine(isSecureUrl, 'expected an https:// URL');

const filePath = z
  .preprocess(
    toPath,
    z
      .string()
      .min(1, 'expected the path of a file')
      .max(MAX_PATH_LENGTH, `expected at most ${MAX_PATH_LENGTH} characters`)
      .refine(
        (path): boolean => !isFileUrl(path),
        'expected a path, or the URL of a local file such as file:///srv/a.mp4',
      ),
  )
  .meta({
    description: "Path of a file on the worker's machine, also as a `file:///` URL.",
    examples: ['/srv/media/spring.mp4'],
  });

const fileSourceSchema = z.strictObject({ type: z.literal('file'), path: filePath });

const urlSourceSchema = z.strictObject({
  type: z.literal('url'),
  url: webUrl.meta({
    description:
      'URL of the file on a server that supports range requests. User name, password and query are stored encrypted. A presigned URL works if it stays valid long enough.',
    examples: ['https://media.example.com/spring.mp4'],
  }),
});

const s3SourceSchema = z.strictObject({
  type: z.literal('s3'),
  bucket: z
    .string()
    .min(1, 'expected the name of a bucket')
    .max(MAX_BUCKET_LENGTH)
    .meta({ description: 'Name of the bucket.', examples: ['videos'] }),
  key: z
    .string()
    .min(1, 'expected the key of an object')
    .refine((key) => Buffer.byteLength(key) <= MAX_OBJECT_KEY_BYTES, {
      error: `expected at most ${MAX_OBJECT_KEY_BYTES} bytes`,
    })
    .meta({ description: 'Key of the object.', examples: ['2026/spring.mp4'] }),
  versionId: z.string().min(1).max(MAX_OBJECT_KEY_BYTES).optional().meta({
    description: 'Version of the object. Default: the newest version at the start of the job, used until the job ends.',
  }),
});

const pullSourceSchema = z.strictObject({
  type: z.literal('pull'),
  url: secureUrl.meta({
    description: 'URL on a domain or URL prefix verified for your TikTok app.',
    examples: ['https://media.example.com/spring.mp4'],
  }),
});

const fallback = z.literal('upload', { error: 'expected "upload"' }).optional().meta({
  description:
    "What to do when TikTok's download has definitely failed: the worker reads the video and uploads it. Default: the job fails.",
});

/** What a video that the worker can read may say of its way to TikTok. */
const VIDEO_ROUTE = {
  via: z.literal('pull', { error: 'expected "pull"' }).optional().meta({
    description:
      'TikTok downloads the video from this service, below `PUBLIC_BASE_URL`, by a link that works until the job ends. Default: the worker uploads the video.',
  }),
  fallback: fallback.meta({ description: 'Only with `"via": "pull"`. When TikTok cannot download it, upload it.' }),
};

const fileMediaSchema = fileSourceSchema.extend(VIDEO_ROUTE).meta({
  title: 'file',
  description: 'An MP4, MOV or WebM video on a disk that the worker can read. The worker uploads it in chunks.',
});

const urlMediaSchema = urlSourceSchema.extend(VIDEO_ROUTE).meta({
  title: 'url',
  description: 'A video on the web. The worker downloads it with range requests and uploads it at the same time.',
});

const s3MediaSchema = s3SourceSchema
  .extend(VIDEO_ROUTE)
  .meta({ title: 's3', description: 'A video in object storage for which the worker has credentials.' });

const pullMediaSchema = pullSourceSchema.extend({ fallback }).meta({
  title: 'pull',
  description: 'A video that TikTok downloads itself. Its bytes do not pass through the worker.',
});

const photoItemSchema = z
  .discriminatedUnion('type', [fileSourceSchema, urlSourceSchema, s3SourceSchema, pullSourceSchema], {
    error: 'expected the type "file", "url", "s3" or "pull"',
  })
  .meta({
    description:
      'A JPEG or WebP image. TikTok downloads `file`, `s3` and `url` from this service, below `PUBLIC_BASE_URL`, and `pull` directly.',
  });

const photosMediaSchema = z
  .strictObject({
    type: z.literal('photos'),
    urls: photoList(secureUrl, 'expected at least one URL')
      .optional()
      .meta({
        description: 'URLs of JPEG or WebP images, on domains or URL prefixes verified for your TikTok app.',
        examples: [['https://media.example.com/1.jpg']],
      }),
    items: photoList(photoItemSchema, 'expected at least one photo')
      .optional()
      .meta({
        description: 'In place of `urls`: photos on disks, in object storage and on the web.',
        examples: [[{ type: 'file', path: '/srv/media/1.jpg' }]],
      }),
    coverIndex: z.int().nonnegative().optional().meta({ description: 'Index of the cover photo, from 0.' }),
  })
  .meta({
    title: 'photos',
    description: `1 to ${MAX_PHOTOS} photos that TikTok downloads, given as \`urls\` or as \`items\`.`,
  });

function photoList<Photo extends z.ZodType>(photo: Photo, none: string) {
  return z.array(photo).min(1, none).max(MAX_PHOTOS, `expected at most ${MAX_PHOTOS} photos`);
}

export const mediaSchema = z
  .discriminatedUnion('type', [fileMediaSchema, urlMediaSchema, s3MediaSchema, pullMediaSchema, photosMediaSchema], {
    error: 'expected media.type "file", "url", "s3", "pull" or "photos"',
  })
  .meta({ description: 'Where the video or the photos come from.' });

function isFileUrl(given: unknown): given is string {
  return typeof given === 'string' && /^file:\/\//i.test(given);
}

/** The path of a file that is named by a URL; one that leads to no file of this machine is left as it is. */
function toPath(given: unknown): unknown {
  if (!isFileUrl(given)) return given;
  try {
    return fileURLToPath(given);
  } catch {
    return given;
  }
}

function isSecureUrl(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || isLoopbackHost(hostname);
}
