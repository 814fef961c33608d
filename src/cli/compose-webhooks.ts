import { noteRemovedAuthorization } from '../accounts/removed-authorization.ts';
import { toPostReport } from '../core/post-report.ts';
import type { ReceiveWebhook } from '../http/webhook.ts';
import { createLedger } from '../ledger/ledger.ts';
import { isSignedByTikTok, parseWebhook, type TikTokWebhook } from '../tiktok/webhook.ts';
import { createWebhookArrivals } from '../webhooks/arrivals.ts';
import { wakeToldJob } from '../webhooks/wake-told-job.ts';
import type { Service } from './compose-service.ts';

/** TikTok's reports, for the web server; undefined without the secret that they are signed with. */
export function webhookReceiver(service: Service): ReceiveWebhook | undefined {
  const { foundation, metrics } = service;
  const { config, log } = foundation;
  const { clientKey, clientSecret } = config.tiktok;
  if (clientSecret === undefined) return undefined;
  const receive = receiver(service);
  return async ({ rawBody, signature }) => {
    if (!isSignedByTikTok(signature, rawBody, clientSecret)) {
      metrics.webhookReceived('other', 'unsigned');
      return 'refused';
    }
    const webhook = parseWebhook(rawBody);
    if (webhook === undefined) {
      log.warn({ bytes: rawBody.length }, 'TikTok webhook unreadable');
      metrics.webhookReceived('other', 'unreadable');
    } else if (clientKey !== undefined && webhook.clientKey !== clientKey) {
      log.warn({ event: webhook.event }, 'TikTok webhook is for another app');
      metrics.webhookReceived(webhook.event, 'other_app');
    } else {
      metrics.webhookReceived(webhook.event, await receive(webhook));
    }
    return 'taken';
  };
}

/** Acts on a report of TikTok's to this app. @returns what came of it, for the metric */
function receiver({ foundation, redis, queues, vault }: Service): (webhook: TikTokWebhook) => Promise<string> {
  const { keys, log } = foundation;
  const ledger = createLedger({ redis, keys, clock: Date });
  const arrivals = createWebhookArrivals({ redis, keys });
  return async ({ event, openId, createdAt, publishId, reason }) => {
    if (event === 'authorization.removed') {
      const noted = await noteRemovedAuthorization(vault, { openId, removedAt: createdAt, reason });
      log.info({ openId, noted }, 'authorization removed');
      return 'acted_on';
    }
    const report = toPostReport(event);
    if (report === undefined || publishId === undefined) {
      log.debug({ event }, 'TikTok webhook ignored');
      return 'no_effect';
    }
    const { publishJobId, woken } = await wakeToldJob({ report, publishId }, { ledger, queues, clock: Date });
    await arrivals.note();
    log.debug({ event, publishJobId, publishId, woken }, 'TikTok webhook received');
    if (publishJobId === undefined) return 'unknown_publish_id';
    return woken === undefined ? 'no_effect' : 'acted_on';
  };
}
