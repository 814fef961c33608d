import { SECOND_MS } from '../../core/units.ts';
import { type ApiKeys, isMadeKey } from './api-keys.ts';

/** How long an answer holds: many streams of one key ask with every event (ms). */
const ANSWER_MS = SECOND_MS;

/**
 * Tells whether the key of something that stays open still opens it: it may have been revoked, or have expired. Keys of the
 * settings last as long as the process. While Redis is away nobody knows, and what is open stays so.
 */
export function createKeyWatch({ find }: Pick<ApiKeys, 'find'>): (key: string) => Promise<boolean> {
  let answers = new Map<string, Promise<boolean>>();
  let askedAt = Number.NEGATIVE_INFINITY;

  return async (key) => {
    if (!isMadeKey(key)) return true;
    if (performance.now() - askedAt >= ANSWER_MS) {
      answers = new Map();
      askedAt = performance.now();
    }
    const known = answers.get(key);
    if (known !== undefined) return await known;
    const answer = find(key).then(
      (caller) => caller !== undefined,
      () => true,
    );
    answers.set(key, answer);
    return await answer;
  };
}
