import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ApiRequest, ApiResult, ApiRoute, ApiSubject } from './api-route.ts';
import { answerInstead, spoilPublish } from './fault-answers.ts';
import type { FaultAct } from './faults.ts';
import { dropConnection, readBody, writeAnswer } from './http-exchange.ts';
import type { JournalEntry, Outcome } from './journal.ts';
import type { World } from './world.ts';

/** Serves one call of a JSON or form endpoint, together with the fault scripted for it. */
export async function serveApi(
  world: World,
  route: ApiRoute,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): Promise<void> {
  const at = world.now();
  const body = await readBody(request);
  if (body === undefined) {
    world.journal.record({ at, endpoint: route.endpoint, httpStatus: 'aborted' });
    dropConnection(request);
    return;
  }
  const call: ApiRequest = { method: request.method ?? '', url, headers: request.headers, body };
  const subject = route.identify(world, call);
  const fault = world.faults.meet({ endpoint: route.endpoint, ...subject });
  const record = (httpStatus: Outcome, result?: ApiResult) => {
    world.journal.record(entryOf(at, route, httpStatus, subject, fault, result));
  };

  if (fault?.kind === 'drop_before') {
    record('dropped');
    dropConnection(request);
    return;
  }
  if (fault?.kind === 'stall') {
    if (fault.ms === undefined) record('stalled');
    if (fault.ms === undefined || !(await world.wait(fault.ms))) return;
  }
  const instead = answerInstead(world, route.endpoint, fault, tellRequest(call));
  const result = instead === undefined ? route.act(world, call) : { answer: instead };
  spoilPublish(fault, result.publish);

  if (fault?.kind === 'drop_after') {
    record('dropped', result);
    dropConnection(request);
    return;
  }
  record(fault?.kind === 'stall_after' ? 'stalled' : result.answer.httpStatus, result);
  if (fault?.kind === 'stall_after') return;
  if (fault?.kind === 'delay' && !(await world.wait(fault.ms))) return;
  writeAnswer(response, result.answer);
}

/** The request with its credentials, as a careless gateway repeats it. */
function tellRequest({ method, url, headers, body }: ApiRequest): string {
  return [method, url.href, headers.authorization ?? '', body].join(' ');
}

function entryOf(
  at: number,
  route: ApiRoute,
  httpStatus: Outcome,
  subject: ApiSubject,
  fault: FaultAct | undefined,
  result: ApiResult | undefined,
): Omit<JournalEntry, 'seq'> {
  const openId = result?.openId ?? subject.openId;
  const publishId = result?.publish?.publishId ?? subject.publishId;
  const code = result?.answer.code;
  return {
    at,
    endpoint: route.endpoint,
    httpStatus,
    ...(code === undefined ? {} : { code }),
    ...(openId === undefined ? {} : { openId }),
    ...(publishId === undefined ? {} : { publishId }),
    ...(fault === undefined ? {} : { fault: fault.kind }),
    ...(result?.grantType === undefined ? {} : { grantType: result.grantType }),
  };
}
