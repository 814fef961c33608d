import type { Deliveries } from '../../callbacks/deliveries.ts';
import type { AuditFact, Caller } from '../../core/access.ts';

/** The deliveries of events as one caller may use them: each change leaves a line in the audit trail. */
export function deliveriesAs(
  deliveries: Deliveries,
  { by }: Pick<Caller, 'by'>,
  addLine: (fact: AuditFact) => Promise<void>,
): Deliveries {
  const tell = async (action: AuditFact['action'], subject: string, after: AuditFact['after']) =>
    await addLine({ action, by, subject, account: null, before: null, after });
  return {
    ...deliveries,
    async replay(id) {
      const outcome = await deliveries.replay(id);
      await tell('callback.replay', id, { events: outcome.replayed.length });
      return outcome;
    },
    async replayFailed(host, signal) {
      const outcome = await deliveries.replayFailed(host, signal);
      await tell('callback.replay', host ?? 'all failed', { events: outcome.replayed.length });
      return outcome;
    },
    async testSubscription(id) {
      const eventId = await deliveries.testSubscription(id);
      if (eventId !== undefined) await tell('subscription.test', id, { eventId });
      return eventId;
    },
    async resume(endpoint) {
      const outcome = await deliveries.resume(endpoint);
      await tell('callback.resume', outcome.endpoint, { waiting: outcome.woken });
      return outcome;
    },
  };
}
