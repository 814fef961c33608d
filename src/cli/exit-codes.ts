/** What the process answers to its caller; part of the public surface. */
export const EXIT_CODES = {
  success: 0,
  /** The publish failed, or nobody can tell whether it was published. */
  publishFailed: 1,
  wrongUse: 2,
  /** A needed service or setting is missing. */
  unavailable: 3,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT_CODES)[keyof typeof EXIT_CODES];
