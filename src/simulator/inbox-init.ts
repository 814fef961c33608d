import { type ApiRoute, admit, identifyCall } from './api-route.ts';
import { inboxCap } from './creator-caps.ts';
import { parseSource } from './source-info.ts';
import { startPublish } from './start-publish.ts';

/** content-posting-api-reference-upload-video, read 2026-11-22: a draft that the person posts in the app. */
export const inboxInit: ApiRoute = {
  endpoint: 'inbox_init',
  method: 'POST',
  path: '/v2/post/publish/inbox/video/init/',
  identify: identifyCall,
  act(world, request) {
    const callsPerMinute = world.settings.limits.initPerMinute;
    const admission = admit(world, request, { endpoint: 'inbox_init', scopes: ['video.upload'], callsPerMinute });
    if ('refusal' in admission) return { answer: admission.refusal };
    const { account, body } = admission;
    // A post_info sent here is ignored: the person writes the caption and picks the privacy.
    return startPublish(world, {
      account,
      kind: 'inbox',
      source: parseSource(body.source_info, world.settings.switches.megabyte),
      postInfo: {},
      permit: () => inboxCap(world, account),
    });
  },
};
