import type { AccountProfile } from './accounts.ts';
import type { RefusalCode } from './answers.ts';
import { publishStateAt } from './publish-status.ts';
import type { Publish } from './publishes.ts';
import type { World } from './world.ts';

const DAY_MS = 86_400_000;

/** Why this creator may not direct-post now, if so. */
export function directPostCap(world: World, account: AccountProfile): RefusalCode | undefined {
  if (account.banned) return 'spam_risk_user_banned_from_posting';
  const { postsPerDay, activeUsersPerDay } = world.settings.limits;
  const own = recentPublishes(world, 'direct', world.publishes.ofUser(account.openId));
  // "Shared by all API clients" (content-sharing-guidelines, read 2026-09-11).
  if (own.length + account.postsElsewhere >= postsPerDay) return 'spam_risk_too_many_posts';
  // A creator who is already inside the window may go on.
  if (own.length > 0 || activeUsersPerDay === Number.POSITIVE_INFINITY) return undefined;
  const recent = recentPublishes(world, 'direct', world.publishes.all());
  const activeUsers = new Set(recent.map((publish) => publish.openId));
  return activeUsers.size >= activeUsersPerDay ? 'reached_active_user_cap' : undefined;
}

/** Why this creator's inbox takes no more drafts now, if so. A draft frees its place when posted or after 24 h. */
export function inboxCap(world: World, account: AccountProfile): RefusalCode | undefined {
  if (account.banned) return 'spam_risk_user_banned_from_posting';
  const own = recentPublishes(world, 'inbox', world.publishes.ofUser(account.openId));
  const isHeld = (publish: Publish) => statusNow(world, publish) !== 'PUBLISH_COMPLETE';
  const pending = world.settings.switches.postedDraftFreesPlace ? own.filter(isHeld) : own;
  return pending.length >= world.settings.limits.pendingSharesPerDay ? 'spam_risk_too_many_pending_share' : undefined;
}

/** The privacy levels creator_info offers: they follow the account's visibility, not the app's audit. */
export function offeredPrivacyLevels({ settings }: World, account: AccountProfile): string[] {
  const isSelfOnly = settings.unaudited && settings.switches.unauditedPrivacyLevels === 'self-only';
  return isSelfOnly ? ['SELF_ONLY'] : account.privacyLevelOptions;
}

function recentPublishes(world: World, kind: Publish['kind'], candidates: readonly Publish[]): Publish[] {
  const since = world.now() - DAY_MS;
  const { failedPublishesCount } = world.settings.switches;
  return candidates.filter(
    (publish) =>
      publish.kind === kind &&
      publish.initAt > since &&
      (failedPublishesCount || statusNow(world, publish) !== 'FAILED'),
  );
}

function statusNow(world: World, publish: Publish) {
  return publishStateAt(publish, world.now(), world.settings).status;
}
