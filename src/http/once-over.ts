import type { ServerResponse } from 'node:http';

/**
 * Calls back when an answer is over, sent or given up; at once where the client has left already, since such an answer
 * tells no listener any more.
 */
export function onceOver(answer: ServerResponse, then: () => void): void {
  if (answer.destroyed) then();
  else answer.once('close', then);
}
