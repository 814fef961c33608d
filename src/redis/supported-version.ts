/** BullMQ warns below this one, and our scripts use its commands. */
export const LEAST_REDIS_VERSION = [6, 2] as const;

/** Whether a server of this version can be used; one that does not tell may try. */
export function isVersionSupported(version: string): boolean {
  const [major, minor = 0] = version.split('.').map(Number);
  if (major === undefined || Number.isNaN(major) || version === '') return true;
  const [leastMajor, leastMinor] = LEAST_REDIS_VERSION;
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}
