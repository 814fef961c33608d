import { WAIT_REASONS, type WaitReason } from '../core/publish-state.ts';

/** Why a whole account stands still. */
export interface Gate {
  readonly reason: WaitReason;
  /** Ms since the epoch; undefined: nobody knows. */
  readonly until: number | undefined;
}

/** Reads a gate from its hash. @returns undefined when it is open */
export function parseGate(hash: Readonly<Record<string, string>>): Gate | undefined {
  const reason = WAIT_REASONS.find((each) => each === hash.reason);
  if (reason === undefined) return undefined;
  return { reason, until: hash.until ? Number(hash.until) : undefined };
}
