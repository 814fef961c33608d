import type { IncomingMessage } from 'node:http';
import { type Answer, plain } from './answers.ts';
import type { Endpoint, FaultAct } from './faults.ts';
import { dropConnection } from './http-exchange.ts';
import type { Outcome } from './journal.ts';
import type { Publish } from './publishes.ts';
import type { World } from './world.ts';

const REQUEST_PLACEHOLDER = '{request}';

/**
 * The answer that a fault gives instead of letting the endpoint act, if it is of that kind.
 * @param request what the caller sent, for answers that repeat it
 */
export function answerInstead(
  world: World,
  endpoint: Endpoint,
  act: FaultAct | undefined,
  request: string,
): Answer | undefined {
  const fill = (text: string) => text.replaceAll(REQUEST_PLACEHOLDER, () => request);
  switch (act?.kind) {
    case 'raw':
      return { httpStatus: act.httpStatus, headers: act.headers ?? {}, body: fill(act.body) };
    case 'rate_limit': {
      const answer = shaped(world, endpoint, 429, 'rate_limit_exceeded', 'The API rate limit was exceeded.');
      if (act.retryAfterSeconds !== undefined) answer.headers['retry-after'] = String(act.retryAfterSeconds);
      return answer;
    }
    case 'status': {
      const code = act.code ?? (act.httpStatus >= 500 ? 'internal_error' : 'invalid_params');
      const message = act.message ?? 'Scripted fault';
      const answer = shaped(world, endpoint, act.httpStatus, code, fill(message));
      return { ...answer, headers: { ...answer.headers, ...act.headers } };
    }
    default:
      return undefined;
  }
}

/**
 * Notes an answer in the journal, then breaks the connection, keeps the answer back or delays it as the fault says.
 * @returns whether the answer is to be sent
 */
export async function maySend(
  world: World,
  request: IncomingMessage,
  fault: FaultAct | undefined,
  answer: Answer,
  record: (outcome: Outcome) => void,
): Promise<boolean> {
  switch (fault?.kind) {
    case 'drop_after':
      record('dropped');
      dropConnection(request);
      return false;
    case 'stall_after':
      record('stalled');
      return false;
    default:
      record(answer.httpStatus);
      return fault?.kind !== 'delay' || world.wait(fault.ms);
  }
}

/** Makes the publish end as the fault says. */
export function spoilPublish(act: FaultAct | undefined, publish: Publish | undefined): void {
  if (publish === undefined) return;
  if (act?.kind === 'fail_processing') publish.failReason = act.failReason;
  if (act?.kind === 'stuck_processing') publish.stuck = true;
  if (act?.kind === 'stall_download' && publish.pull !== undefined) publish.pull.stalledAtBytes = act.afterBytes;
}

/** An error in the shape this endpoint uses. */
function shaped(world: World, endpoint: Endpoint, httpStatus: number, code: string, message: string): Answer {
  switch (endpoint) {
    case 'upload':
      return { ...plain(httpStatus, message), code };
    case 'token':
    case 'revoke':
    case 'authorize':
      return world.answers.flatError(httpStatus, code, message);
    default:
      return world.answers.envelope(httpStatus, code, message);
  }
}
