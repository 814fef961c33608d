import type { Logger } from 'pino';
import type { AccountVault } from '../accounts/vault.ts';
import { referenceTo } from '../core/job-reference.ts';
import type { Clock } from '../core/ports.ts';
import { type PostReport, toPostReport, wokenBy } from '../core/post-report.ts';
import { mayBePublic } from '../core/recheck-schedule.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Queues } from '../ledger/queues/queues.ts';
import type { LedgerRecord } from '../ledger/record.ts';
import { isSignedByTikTok, parseWebhook, type TikTokWebhook } from '../tiktok/signed-webhook.ts';
import type { WebhookReception } from './webhook-reception.ts';

/** TikTok's reasons (webhooks-events, read 2026-11-22). */
const REASONS: Readonly<Record<string, string>> = {
  '1': 'its owner disconnected the app',
  '2': 'its owner deleted the account',
  '3': "the owner's age was changed",
  '4': 'TikTok banned the account',
  '5': 'the app revoked the access itself',
};

/** What a webhook did, for the metric. */
type WebhookOutcome = 'unsigned' | 'unreadable' | 'other_app' | ActedOn;
type ActedOn = 'acted_on' | 'no_effect' | 'unknown_publish_id';

export interface ReceiveWebhookDeps {
  readonly ledger: Pick<Ledger, 'annotate' | 'idOfPublishId' | 'noteReport'>;
  readonly queues: Pick<Queues, 'wakeStatusEntry' | 'wakeRecheckEntry'>;
  /** The app that webhooks must be meant for, where the settings name it. */
  readonly clientKey: string | undefined;
  /** What they are signed with. */
  readonly clientSecret: string;
  readonly vault: AccountVault;
  readonly reception: Pick<WebhookReception, 'noteReceived'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called for each webhook. */
  readonly onReceived: (event: string, outcome: WebhookOutcome) => void;
}

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
      log.warn({ bytes: rawBody.length }, 'TikTok webhook unreadable');
      onReceived('other', 'unreadable');
    } else if (clientKey !== undefined && webhook.clientKey !== clientKey) {
      log.warn({ event: webhook.event }, 'TikTok webhook is for another app');
      onReceived(webhook.event, 'other_app');
    } else {
      onReceived(webhook.event, await actOn(webhook, deps));
    }
    return 'taken';
  };
}

/**
 * What each webhook does: `authorization.removed` disconnects an account; one about a post starts its next poll or recheck early, or notes
 * that the post is no longer public.
 */
async function actOn(
  { event, openId, createdAt, publishId, reason }: TikTokWebhook,
  { vault, reception, log, ...deps }: ReceiveWebhookDeps,
): Promise<ActedOn> {
  if (event === 'authorization.removed') {
    const noted = await noteRemovedAuthorization(vault, { openId, createdAt, reason });
    log.info({ openId, noted }, 'authorization removed');
    return 'acted_on';
  }
  const report = toPostReport(event);
  if (report === undefined || publishId === undefined) {
    log.debug({ event }, 'TikTok webhook ignored');
    return 'no_effect';
  }
  const { publishJobId, did } = await wakeReportedJob({ report, publishId }, deps);
  await reception.noteReceived();
  log.debug({ event, publishJobId, publishId, did }, 'TikTok webhook received');
  if (publishJobId === undefined) return 'unknown_publish_id';
  return did === undefined ? 'no_effect' : 'acted_on';
}

/**
 * Notes that an account must be connected again. TikTok repeats its reports for three days, so one that is older than
 * the account's tokens is about a grant that was replaced since.
 *
 * @returns false if there was nothing to note
 */
async function noteRemovedAuthorization(
  vault: Pick<AccountVault, 'get' | 'markReauthorizationRequired'>,
  { openId, createdAt, reason = '' }: Pick<TikTokWebhook, 'openId' | 'createdAt' | 'reason'>,
): Promise<boolean> {
  const account = openId === '' ? undefined : (await vault.get(openId))?.account;
  if (account === undefined) return false;
  const why = REASONS[reason] ?? 'TikTok gave no reason';
  return await vault.markReauthorizationRequired(account, {
    reason: `TikTok revoked the access to "${account}": ${why}`,
    grantedBefore: createdAt,
  });
}

/** TikTok repeats its reports, and this one is told once. */
function isFirstLoss(report: PostReport, { state, noLongerPublicAt }: LedgerRecord): boolean {
  return report === 'no_longer_publicly_available' && state === 'published' && noLongerPublicAt === undefined;
}

/**
 * Starts the next status query of a reported job at once. Safe to call again: it changes no state, and the
 * poll it wakes keeps to the account's quota.
 * @returns no `publishJobId` if nobody here knows the publish_id
 */
async function wakeReportedJob(
  { report, publishId }: { readonly report: PostReport; readonly publishId: string },
  { ledger, queues, clock }: Pick<ReceiveWebhookDeps, 'ledger' | 'queues' | 'clock'>,
): Promise<{ publishJobId?: string; did?: 'poll' | 'recheck' | 'told' }> {
  const publishJobId = await ledger.idOfPublishId(publishId);
  if (publishJobId === undefined) return {};
  const record = await ledger.noteReport(publishJobId, publishId);
  if (record !== undefined && isFirstLoss(report, record)) {
    await ledger.annotate(record, {
      cause: { event: 'no_longer_public' },
      event: 'publish.no_longer_public',
      patch: { noLongerPublicAt: clock.now() },
    });
    return { publishJobId, did: 'told' };
  }
  const woken =
    record === undefined ? undefined : wokenBy(report, { ...record, isPublic: mayBePublic(record.request) });
  // A poll that has booked its call waits for that call: woken, it would only fall asleep again.
  if (record === undefined || woken === undefined || (record.bookedSlot?.at ?? 0) > clock.now()) {
    return { publishJobId };
  }
  if (woken === 'poll') await queues.wakeStatusEntry(record.id);
  else await queues.wakeRecheckEntry(referenceTo(record));
  return { publishJobId, did: woken };
}
