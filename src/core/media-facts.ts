/** What the bytes of a video tell about it, without decoding it; null: not told. */
export interface MediaFacts {
  readonly container: 'mp4' | 'mov' | 'webm';
  /** Major brand of an ISO file, such as `isom`. */
  readonly brand: string | null;
  readonly sizeBytes: number;
  readonly durationSeconds: number | null;
  readonly videoTracks: number;
  readonly audioTracks: number;
  readonly video: VideoFacts | null;
  readonly audio: AudioFacts | null;
  /** Where an ISO file keeps its index. At the end is as good for TikTok; null: another container, or not found out. */
  readonly moov: 'front' | 'end' | 'missing' | null;
  /** Made of fragments, as live encoders do. */
  readonly fragmented: boolean | null;
  /** What the file says it holds and doesn't. */
  readonly missingBytes: number;
  /** What could not be read, and why. */
  readonly unread: readonly string[];
}

/** The main video track. */
export interface VideoFacts {
  /** `h264`, `h265`, `vp8`, `vp9` and the like; null: a codec the prober doesn't know. */
  readonly codec: string | null;
  /** FourCC of an ISO file, codec id of WebM. */
  readonly codecId: string | null;
  /** As shown, that is after rotation. */
  readonly displayWidth: number;
  readonly displayHeight: number;
  readonly codedWidth: number;
  readonly codedHeight: number;
  /** Degrees clockwise. */
  readonly rotation: number;
  /** Frames a second on average: over all frames of an ISO file, over the first ones of fragments and of WebM. */
  readonly frameRate: number | null;
}

/** The main audio track. */
export interface AudioFacts {
  readonly codec: string | null;
  readonly codecId: string | null;
}
