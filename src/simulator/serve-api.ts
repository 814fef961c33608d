import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ApiRequest, ApiResult, ApiRoute } from './api-route.ts';
import { brokenRules } from './conformance-rules.ts';
import { answerInstead, maySend, spoilPublish } from './fault-answers.ts';
import { dropConnection, readBody, writeAnswer } from './http-exchange.ts';
import type { Outcome } from './journal.ts';
import { judgeCall } from './judge-call.ts';
import { isSettled, publishStateAt } from './publish-status.ts';
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
  const record = (httpStatus: Outcome, result?: ApiResult, acted?: ApiResult) => {
    const checks = judgeCall(world, { endpoint: route.endpoint, request: call, openId: subject.openId, result: acted });
    const seq = world.journal.record({
      at,
      endpoint: route.endpoint,
      httpStatus,
      code: result?.answer.code,
      openId: result?.openId ?? subject.openId,
      publishId: result?.publish?.publishId ?? subject.publishId,
      fault: fault?.kind,
      grantType: result?.grantType,
      broke: brokenRules(checks),
    });
    world.conformance.note(checks, seq);
    if (typeof httpStatus !== 'number' && result?.publish !== undefined) result.publish.isIdLost = true;
    if (typeof httpStatus === 'number' && acted?.answer.code === 'ok')
      noteOutcomeTold(world, route.endpoint, subject.publishId);
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
  const result: ApiResult = instead === undefined ? route.act(world, call) : { answer: instead };
  const acted = instead === undefined ? result : undefined;
  spoilPublish(fault, result.publish);

  const isSent = await maySend(world, request, fault, result.answer, (outcome) => record(outcome, result, acted));
  if (isSent) writeAnswer(response, result.answer);
}

/** Remembers that a status answer told how a publish ended. */
function noteOutcomeTold(world: World, endpoint: ApiRoute['endpoint'], publishId: string | undefined): void {
  const publish = publishId === undefined ? undefined : world.publishes.get(publishId);
  if (endpoint !== 'status' || publish === undefined) return;
  if (isSettled(publishStateAt(publish, world.now(), world.settings))) publish.outcomeTold = true;
}

/** The request with its credentials, as a careless gateway repeats it. */
function tellRequest({ method, url, headers, body }: ApiRequest): string {
  return [method, url.href, headers.authorization ?? '', body].join(' ');
}
