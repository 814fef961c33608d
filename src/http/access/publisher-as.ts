import { isDeepStrictEqual } from 'node:util';
import { type AuditFact, type Caller, mayTouch } from '../../core/access.ts';
import { NO_JOBS } from '../../core/job-counts.ts';
import { jobNotFound, PublishError } from '../../core/publish-error.ts';
import type { PublishJob } from '../../core/publish-job.ts';
import type { PublishingPause } from '../../core/publishing-pause.ts';
import type { EventFeed, EventsOptions, Publisher } from '../../producers/publisher.ts';
import { type AddLine, accountsIn, operationsAs } from './operations-as.ts';

/** What callers may ask of a publisher. */
export type CallersPublisher = Omit<
  Publisher,
  'enqueueBulk' | 'waitForCompletion' | 'close' | typeof Symbol.asyncDispose
>;

/**
 * The publisher as one caller may use it: accounts that are not theirs do not exist, what they change carries their name,
 * and each change leaves a line in the audit trail.
 */
export function publisherAs(publisher: CallersPublisher, caller: Caller, addLine: AddLine): CallersPublisher {
  const { by } = caller;

  async function find(id: string): Promise<PublishJob | undefined> {
    const job = await publisher.get(id);
    return job !== undefined && mayTouch(caller, job.account) ? job : undefined;
  }

  async function present(id: string): Promise<PublishJob> {
    const job = await find(id);
    if (job === undefined) throw jobNotFound(id);
    return job;
  }

  function refuseForeign(account: string): void {
    if (!mayTouch(caller, account)) {
      throw new PublishError('INPUT_ACCOUNT_UNKNOWN', { reason: `no account is connected as "${account}"` });
    }
  }

  async function changeJob<T extends PublishJob>(
    action: AuditFact['action'],
    id: string,
    change: () => Promise<T>,
  ): Promise<T> {
    const old = await present(id);
    const job = await change();
    const [before, after] = differenceOf(old, job);
    await addLine({ action, by, subject: id, account: job.account, before, after });
    return job;
  }

  async function changeAccount<T>(action: AuditFact['action'], account: string, change: () => Promise<T>): Promise<T> {
    refuseForeign(account);
    const statusOf = async () => {
      const found = await publisher.accounts.get(account).catch(() => undefined);
      return found === undefined ? null : { status: found.status };
    };
    const before = await statusOf();
    const outcome = await change();
    await addLine({ action, by, subject: account, account, before, after: await statusOf() });
    return outcome;
  }

  const { accounts } = publisher;
  return {
    async enqueue(request, options) {
      refuseForeign(request.account);
      return await publisher.enqueue(request, { ...options, by }).catch((error: unknown) => {
        throw caller.accounts === undefined ? error : withoutOtherJob(error);
      });
    },
    get: find,
    async list(filter = {}, options) {
      const account = accountsIn(filter, caller);
      if (account?.length === 0) return { jobs: [], nextCursor: null };
      return await publisher.list({ ...filter, account }, options);
    },
    async counts(filter = {}, options) {
      const account = accountsIn(filter, caller);
      return account?.length === 0 ? NO_JOBS : await publisher.counts({ account }, options);
    },
    cancel: async (id) => await changeJob('publish.cancel', id, () => publisher.cancel(id, { by })),
    retry: async (id, options) => await changeJob('publish.retry', id, () => publisher.retry(id, { ...options, by })),
    update: async (id, changes) => await changeJob('publish.update', id, () => publisher.update(id, changes, { by })),
    async pause(options) {
      const before = await publisher.paused();
      const after = await publisher.pause({ ...options, by });
      if (isDeepStrictEqual(before, after)) return after;
      await addLine({ action: 'publishing.pause', by, subject: 'publishing', account: null, ...pauses(before, after) });
      return after;
    },
    async resume() {
      const before = await publisher.paused();
      await publisher.resume();
      if (before === null) return;
      await addLine({ action: 'publishing.resume', by, subject: 'publishing', account: null, ...pauses(before, null) });
    },
    paused: publisher.paused,
    events: (options = {}) => eventsOf(publisher, caller, options),
    async preflight(request, options) {
      refuseForeign(request.account);
      const report = await publisher.preflight(request, options);
      if (caller.accounts === undefined) return report;
      const findings = report.findings.map((each) => (each.code === KEY_TAKEN ? { ...each, found: USED_KEY } : each));
      return { ...report, findings };
    },
    operations: operationsAs(publisher.operations, caller, addLine),
    async creator(account) {
      refuseForeign(account);
      return await publisher.creator(account);
    },
    async connectLink(request) {
      refuseForeign(request.account);
      const link = await publisher.connectLink(request);
      const { account, expiresAt } = link;
      await addLine({
        action: 'account.create_link',
        by,
        subject: account,
        account,
        before: null,
        after: { expiresAt },
      });
      return link;
    },
    accounts: {
      connect: async (input) =>
        await changeAccount('account.connect', input.account, async () => await accounts.connect(input)),
      list: async (filter) => (await accounts.list(filter)).filter(({ account }) => mayTouch(caller, account)),
      async get(account) {
        refuseForeign(account);
        return await accounts.get(account);
      },
      pause: async (account) => await changeAccount('account.pause', account, () => accounts.pause(account)),
      resume: async (account) => await changeAccount('account.resume', account, () => accounts.resume(account)),
      remove: async (account, options) =>
        await changeAccount('account.remove', account, () => accounts.remove(account, options)),
    },
  };
}

const KEY_TAKEN = 'IDEMPOTENCY_CONFLICT';
const USED_KEY = 'a key that was used for a different request';

/** The job that a key stands for may be of an account that does not exist for the caller. */
function withoutOtherJob(error: unknown): unknown {
  if (!(error instanceof PublishError) || error.code !== KEY_TAKEN) return error;
  return new PublishError(KEY_TAKEN, { reason: `the idempotency key is ${USED_KEY}` });
}

function pauses(before: PublishingPause | null, after: PublishingPause | null) {
  return { before: before && { ...before }, after: after && { ...after } };
}

const COMPARED = ['state', 'scheduledAt', 'notAfter', 'priority'] as const;

/** What differs between two looks at a job; of its post only that it differs, since captions may be long. */
function differenceOf(before: PublishJob, after: PublishJob): [Record<string, unknown>, Record<string, unknown>] {
  const valuesOf = ({ request, ...job }: PublishJob): Record<string, unknown> => ({ ...request, ...job });
  const [old, now] = [valuesOf(before), valuesOf(after)];
  const changed = COMPARED.filter((name) => name === 'state' || old[name] !== now[name]);
  const pick = (values: Record<string, unknown>) =>
    Object.fromEntries(changed.map((name) => [name, values[name] ?? null]));
  return [pick(old), pick(now)];
}

/** The events of a caller's accounts. */
function eventsOf(publisher: Pick<Publisher, 'events'>, caller: Caller, options: EventsOptions): EventFeed {
  const feed = publisher.events(options);
  if (caller.accounts === undefined) return feed;
  return {
    started: feed.started,
    get cursor() {
      return feed.cursor;
    },
    async next() {
      for (;;) {
        const result = await feed.next();
        if (result.done === true || mayTouch(caller, result.value.event.data.account)) return result;
      }
    },
    async nextPage() {
      for (;;) {
        const page = await feed.nextPage();
        const ours = page.filter(({ event }) => mayTouch(caller, event.data.account));
        if (page.length === 0 || ours.length > 0) return ours;
      }
    },
    return: () => feed.return(),
    [Symbol.asyncIterator]() {
      return this;
    },
    [Symbol.asyncDispose]: () => feed[Symbol.asyncDispose](),
  };
}
