import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ApiRequest, ApiResult, ApiRoute } from './api-route.ts';
import { answerInstead, maySend, spoilPublish } from './fault-answers.ts';
import { dropConnection, readBody, writeAnswer } from './http-exchange.ts';
import type { Outcome } from './journal.ts';
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
  const record = (httpStatus: Outcome, result?: ApiResult) =>
    world.journal.record({
      at,
      endpoint: route.endpoint,
      httpStatus,
      code: result?.answer.code,
      openId: result?.openId ?? subject.openId,
      publishId: result?.publish?.publishId ?? subject.publishId,
      fault: fault?.kind,
      grantType: result?.grantType,
    });

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

  const isSent = await maySend(world, request, fault, result.answer, (outcome) => record(outcome, result));
  if (isSent) writeAnswer(response, result.answer);
}

/** The request with its credentials, as a careless gateway repeats it. */
function tellRequest({ method, url, headers, body }: ApiRequest): string {
  return [method, url.href, headers.authorization ?? '', body].join(' ');
}
