import type { Answer } from './answers.ts';
import { type ApiRequest, type ApiResult, admit, type Demand } from './api-route.ts';
import type { Publish } from './publishes.ts';
import type { World } from './world.ts';

/** Either scope lets a client ask about its publishes. */
const SCOPES = ['video.publish', 'video.upload'];

/** Admits a call that names a publish_id and hands `answer` the publish, if it is the caller's. */
export function withOwnPublish(
  world: World,
  request: ApiRequest,
  demand: Omit<Demand, 'scopes'>,
  answer: (publish: Publish) => Answer,
): ApiResult {
  const admission = admit(world, request, { ...demand, scopes: SCOPES });
  if ('refusal' in admission) return { answer: admission.refusal };
  const { account, body } = admission;
  const refuse = (code: Parameters<typeof world.answers.refuse>[0]): ApiResult => ({
    answer: world.answers.refuse(code),
    openId: account.openId,
  });
  if (typeof body.publish_id !== 'string' || body.publish_id === '') return refuse('invalid_params');
  const publish = world.publishes.get(body.publish_id);
  if (publish === undefined || !isKnown(world, publish)) return refuse('invalid_publish_id');
  if (publish.openId !== account.openId) return refuse('token_not_authorized_for_specified_publish_id');
  return { answer: answer(publish), openId: account.openId };
}

/** How long a publish_id lives is not documented; integrators saw `invalid_publish_id` for seconds after init. */
function isKnown(world: World, publish: Publish): boolean {
  const ageMs = world.now() - publish.initAt;
  const { publishIdUnknownForMs, publishIdLifetimeMs } = world.settings.switches;
  return ageMs >= publishIdUnknownForMs && (publishIdLifetimeMs === 0 || ageMs < publishIdLifetimeMs);
}
