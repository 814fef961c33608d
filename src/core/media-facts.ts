import { z } from 'zod';

const codec = {
  /** `h264`, `h265`, `vp8`, `aac` and the like; null: a codec the prober doesn't know. */
  codec: z.string().nullable(),
  /** FourCC of an ISO file, codec id of WebM. */
  codecId: z.string().nullable(),
};

const videoFactsSchema = z.object({
  ...codec,
  /** As shown, that is after rotation, in pixels. */
  displayWidth: z.number(),
  /** As shown, in pixels. */
  displayHeight: z.number(),
  /** As encoded, in pixels. */
  codedWidth: z.number(),
  /** As encoded, in pixels. */
  codedHeight: z.number(),
  /** Degrees clockwise. */
  rotation: z.number(),
  /** Frames a second on average: over all frames of an ISO file, over the first ones of fragments and of WebM. */
  frameRate: z.number().nullable(),
});

/** What the bytes of a video tell about it, without decoding it, as a ledger record holds it; null: not told. */
export const mediaFactsSchema = z.object({
  /** What the file is by its bytes. */
  container: z.enum(['mp4', 'mov', 'webm']),
  /** Major brand of an ISO file, such as `isom`. */
  brand: z.string().nullable(),
  /** Size of the file in bytes. */
  sizeBytes: z.number(),
  /** How long it is, in seconds. */
  durationSeconds: z.number().nullable(),
  /** How many video tracks it has. */
  videoTracks: z.number(),
  /** How many audio tracks it has. */
  audioTracks: z.number(),
  /** Its main video track. */
  video: videoFactsSchema.nullable(),
  /** Its main audio track. */
  audio: z.object(codec).nullable(),
  /** Where an ISO file keeps its index. At the end is as good for TikTok; null: another container, or not found out. */
  moov: z.enum(['front', 'end', 'missing']).nullable(),
  /** Made of fragments, as live encoders do. */
  fragmented: z.boolean().nullable(),
  /** What the file says it holds and doesn't, in bytes. */
  missingBytes: z.number(),
  /** What could not be read, and why. */
  unread: z.array(z.string()).readonly(),
});

export type MediaFacts = Readonly<z.infer<typeof mediaFactsSchema>>;
export type VideoFacts = Readonly<z.infer<typeof videoFactsSchema>>;
export type AudioFacts = Readonly<NonNullable<MediaFacts['audio']>>;
