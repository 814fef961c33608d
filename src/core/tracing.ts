/** Facts of a span; never a secret, an account or a URL. */
export type SpanFacts = Readonly<Record<string, string | number | boolean | undefined>>;

/** Adds facts to the span that runs. */
export type NoteFacts = (facts: SpanFacts) => void;

/** Runs work inside spans of a trace, where somebody wants to see them. */
export interface Tracing {
  /** @param kind `call` for a request to TikTok, `step` for work of ours */
  span<T>(
    span: { readonly name: string; readonly kind: 'call' | 'step'; readonly facts?: SpanFacts },
    run: (note: NoteFacts) => Promise<T>,
  ): Promise<T>;
}

const ignore: NoteFacts = () => undefined;

/** Runs the work and nothing else. */
export const NO_TRACING: Tracing = { span: async (_span, run) => await run(ignore) };
