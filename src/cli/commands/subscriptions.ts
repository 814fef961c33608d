import { PublishError } from '../../core/publish-error.ts';
import type { PublishEventType } from '../../core/publish-event.ts';
import type { Subscription, SubscriptionRequest } from '../../core/subscription.ts';
import type { CommandContext } from '../cli-io.ts';
import type { ExitCode } from '../exit-codes.ts';
import { attemptTable, textTable } from '../job-text.ts';
import { withClient } from '../with-client.ts';

export interface CreateSubscriptionOptions {
  readonly type?: readonly PublishEventType[];
  readonly account?: readonly string[];
  readonly after?: string;
}

/** `subscriptions create`. */
export async function createSubscription(
  url: string,
  { type, account, after }: CreateSubscriptionOptions,
  context: CommandContext,
): Promise<ExitCode> {
  return await withClient(context, async ({ subscriptions, by }) => {
    const request: SubscriptionRequest = {
      url,
      ...(type !== undefined && { types: [...type] }),
      ...(account !== undefined && { accounts: [...account] }),
      ...(after !== undefined && { after }),
    };
    const made = await subscriptions.create(request, by);
    const text = `${made.endpoint} gets ${wantedText(made)}.\nTo try it: tiktok-publisher subscriptions test ${made.id}`;
    context.output.answer(made, text);
  });
}

/** `subscriptions list`, or one with its deliveries. */
export async function listSubscriptions(id: string | undefined, context: CommandContext): Promise<ExitCode> {
  return await withClient(context, async ({ subscriptions, callbacks }) => {
    if (id !== undefined) {
      const one = present(await callbacks.ofSubscription(id));
      context.output.answer(one, attemptTable(one.attempts));
      return;
    }
    const all = await subscriptions.list();
    const rows = all.map((each) => [each.id, each.endpoint, wantedText(each)]);
    const none = 'No subscriptions. Create one with: tiktok-publisher subscriptions create <url>';
    const table = textTable([['ID', 'ENDPOINT', 'GETS'], ...rows]);
    context.output.answer({ subscriptions: all }, all.length === 0 ? none : table);
  });
}

/** `subscriptions delete`. */
export async function deleteSubscription(id: string, context: CommandContext): Promise<ExitCode> {
  return await withClient(context, async ({ subscriptions, by }) => {
    const deleted = present(await subscriptions.remove(id, by));
    context.output.answer(deleted, `${deleted.endpoint} gets no more events.`);
  });
}

/** `subscriptions test`. */
export async function testSubscription(id: string, context: CommandContext): Promise<ExitCode> {
  return await withClient(context, async ({ callbacks }) => {
    const eventId = present(await callbacks.testSubscription(id));
    const text = `A worker will send a test event (${eventId}). What the receiver answered: tiktok-publisher subscriptions list ${id}`;
    context.output.answer({ eventId }, text);
  });
}

function wantedText({ types, accounts }: Pick<Subscription, 'types' | 'accounts'>): string {
  const events = types === null ? 'all events' : types.join(', ');
  return accounts === null ? events : `${events} of ${accounts.join(', ')}`;
}

function present<T>(subscription: T | undefined): T {
  if (subscription !== undefined) return subscription;
  const problems = [{ path: 'id', message: 'expected the id of a subscription; see `subscriptions list`' }];
  throw new PublishError('INPUT_INVALID', { reason: 'no subscription has this id', problems });
}
