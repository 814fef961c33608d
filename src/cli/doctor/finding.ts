/** What the doctor looks at, in this order. */
export type CheckName =
  | 'settings'
  | 'redis'
  | 'clock'
  | 'accounts'
  | 'tiktok'
  | 'queues'
  | 'callbacks'
  | 'storage'
  | 'pull';

export interface Finding {
  readonly check: CheckName;
  /** `problem`: publishing suffers, now or at the next mishap; `advice`: something to know or to decide. */
  readonly level: 'ok' | 'advice' | 'problem';
  readonly message: string;
  readonly fix?: string;
}

const MAX_NAMES = 10;

/** A human-readable list of names, with how many there are beyond. */
export function nameList(names: readonly string[]): string {
  const shown = names.slice(0, MAX_NAMES).map((name) => `"${name}"`);
  const more = names.length - shown.length;
  return `${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
