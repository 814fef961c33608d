import type { SourcePin } from './ports.ts';

/** Whether two pins name the same bytes of a source; no pin is like none. */
export function isSamePin(a: SourcePin | undefined, b: SourcePin): boolean {
  return a?.sizeBytes === b.sizeBytes && a.version === b.version;
}
