/** An answer of any status, read to its end. */
export interface RawAnswer {
  readonly httpStatus: number;
  /** Empty for answers to chunks, whose bodies TikTok does not document. */
  readonly text: string;
  readonly contentType: string | undefined;
  readonly contentRange: string | undefined;
  readonly retryAfterMs: number | undefined;
  /** The credentials that were sent: no text of the answer may show them. */
  readonly sentSecrets: readonly string[];
}
