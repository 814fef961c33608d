import type { AccountVault } from '../accounts/vault.ts';

/** TikTok's reasons (webhooks-events, read 2026-11-22). */
const REASONS: Readonly<Record<string, string>> = {
  '1': 'its owner disconnected the app',
  '2': 'its owner deleted the account',
  '3': "the owner's age was changed",
  '4': 'TikTok banned the account',
  '5': 'the app revoked the access itself',
};

/** What TikTok reports of a user who no longer lets the app act for them. */
export interface RemovedAuthorization {
  readonly openId: string;
  /** Ms since the epoch. */
  readonly removedAt: number;
  /** The number of TikTok's reason. */
  readonly reason: string | undefined;
}

/**
 * Notes that an account must be connected again. TikTok repeats its reports for three days, so one that is older than
 * the account's tokens is about a grant that was replaced since.
 *
 * @returns false if there was nothing to note
 */
export async function noteRemovedAuthorization(
  vault: Pick<AccountVault, 'get' | 'markReauthorizationRequired'>,
  { openId, removedAt, reason = '' }: RemovedAuthorization,
): Promise<boolean> {
  const account = openId === '' ? undefined : (await vault.get(openId))?.account;
  if (account === undefined) return false;
  const why = REASONS[reason] ?? 'TikTok gave no reason';
  return await vault.markReauthorizationRequired(account, {
    reason: `TikTok revoked the access to "${account}": ${why}`,
    grantedBefore: removedAt,
  });
}
