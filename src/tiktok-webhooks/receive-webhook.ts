import type { Logger } from 'pino';
import type { AccountVault } from '../accounts/vault.ts';
import type { Clock } from '../core/ports.ts';
import { toPostReport } from '../core/post-report.ts';
import { isSignedByTikTok, parseWebhook, type TikTokWebhook } from '../tiktok/webhook.ts';
import type { WebhookArrivals } from './arrivals.ts';
import { noteRemovedAuthorization } from './removed-authorization.ts';
import { type WakeToldJobDeps, wakeToldJob } from './wake-told-job.ts';

/** What came of a webhook, for the metric. */
type WebhookOutcome = 'unsigned' | 'unreadable' | 'other_app' | ActedOn;
type ActedOn = 'acted_on' | 'no_effect' | 'unknown_publish_id';

/** What receiving webhooks needs. */
export interface ReceiveWebhookDeps extends WakeToldJobDeps {
  /** The app that webhooks must be meant for, where the settings name it. */
  readonly clientKey: string | undefined;
  /** What they are signed with. */
  readonly clientSecret: string;
  readonly vault: AccountVault;
  readonly arrivals: Pick<WebhookArrivals, 'note'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Told of each webhook, by its event. */
  readonly onReceived: (event: string, outcome: WebhookOutcome) => void;
}

/** What TikTok sent. */
interface WebhookDelivery {
  /** The body byte for byte, since that is what was signed. */
  readonly rawBody: Buffer;
  /** The header `TikTok-Signature`. */
  readonly signature: string | undefined;
}

/**
 * Acts on what TikTok reports; resolves once that is durable. May be called more than once for one report.
 * @returns `refused` if TikTok did not sign it
 */
export type ReceiveWebhook = (delivery: WebhookDelivery) => Promise<'taken' | 'refused'>;

/** Takes TikTok's webhooks: refuses what TikTok did not sign, and acts on the rest. */
export function createWebhookReceiver(deps: ReceiveWebhookDeps): ReceiveWebhook {
  const { clientKey, clientSecret, log, onReceived } = deps;
  return async ({ rawBody, signature }) => {
    if (!isSignedByTikTok(signature, rawBody, clientSecret)) {
      onReceived('other', 'unsigned');
      return 'refused';
    }
    const webhook = parseWebhook(rawBody);
    if (webhook === undefined) {
      log.warn({ bytes: rawBody.length }, 'webhook not readable');
      onReceived('other', 'unreadable');
    } else if (clientKey !== undefined && webhook.clientKey !== clientKey) {
      log.warn({ event: webhook.event }, 'webhook is meant for another app');
      onReceived(webhook.event, 'other_app');
    } else {
      onReceived(webhook.event, await actOn(webhook, deps));
    }
    return 'taken';
  };
}

/** Which webhook does what: one ends an account's authorization, those about a post let it be asked for at once. */
async function actOn(
  { event, openId, createdAt, publishId, reason }: TikTokWebhook,
  { vault, arrivals, log, ...wakes }: ReceiveWebhookDeps,
): Promise<ActedOn> {
  if (event === 'authorization.removed') {
    const noted = await noteRemovedAuthorization(vault, { openId, removedAt: createdAt, reason });
    log.info({ openId, noted }, 'authorization removed');
    return 'acted_on';
  }
  const report = toPostReport(event);
  if (report === undefined || publishId === undefined) {
    log.debug({ event }, 'webhook ignored');
    return 'no_effect';
  }
  const { publishJobId, woken } = await wakeToldJob({ report, publishId }, wakes);
  await arrivals.note();
  log.debug({ event, publishJobId, publishId, woken }, 'webhook received');
  if (publishJobId === undefined) return 'unknown_publish_id';
  return woken === undefined ? 'no_effect' : 'acted_on';
}
