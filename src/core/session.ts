/**
 * What we know of a job's session at TikTok: the init that was sent, and the publish_id that it returned. Instants are
 * ms since the epoch. The exposure follows from it, see `exposureOf`.
 */
export type Session =
  /** Nothing was sent, or what was sent is known to have had no effect. */
  | { readonly kind: 'none' }
  /** An init was sent, and its answer is not known. */
  | { readonly kind: 'init_sent'; readonly intendedAt: number }
  | UploadSession
  /** TikTok fetches the media: it has everything. */
  | { readonly kind: 'fetch'; readonly publishId: string }
  /** TikTok declared the publish_id FAILED: it published nothing and never will. */
  | { readonly kind: 'failed'; readonly publishId: string; readonly failedAt: number };

/** A publish_id to which we send bytes. */
export interface UploadSession {
  readonly kind: 'upload';
  readonly publishId: string;
  /** Sealed: an upload URL is a credential. Gone once nothing more may be sent. */
  readonly urlSealed?: string | undefined;
  readonly urlExpiresAt?: number | undefined;
  /** Set before the first byte of the last chunk is sent: from here TikTok may have everything. */
  readonly lastChunkStartedAt?: number | undefined;
}

/** The publish_id of a session that has one. */
export function publishIdOf(session: Session): string | undefined {
  return session.kind === 'none' || session.kind === 'init_sent' ? undefined : session.publishId;
}

/** The session as one to which nothing more is sent. */
export function withoutUploadUrl(session: Session): Session {
  return session.kind === 'upload' ? { ...session, urlSealed: undefined, urlExpiresAt: undefined } : session;
}

/** The session of an ended job. Without a publish_id, only the job's state shows an init that was not answered. */
export function endedSession(session: Session, failedAt: number | undefined): Session {
  const publishId = publishIdOf(session);
  if (publishId === undefined) return { kind: 'none' };
  return failedAt === undefined ? session : { kind: 'failed', publishId, failedAt };
}
