import { deliveriesOf } from '../../app/callback-parts.ts';
import type { App } from '../../app/open-app.ts';
import type { RedisParts } from '../../app/redis-parts.ts';
import { type Finding, nameList } from './finding.ts';

/** A relay takes events out of the outbox as they come; so many at once mean that there is none. */
const UNRELAYED_FROM = 1_000;

/** Whether events reach the callback URLs that want them. */
export async function callbackFindings(
  app: App,
  parts: Pick<RedisParts, 'redis' | 'ledger' | 'queues' | 'audit'>,
): Promise<Finding[]> {
  const [{ counts, paused, disabled }, waitingInOutbox] = await Promise.all([
    deliveriesOf(app, parts).overview(),
    parts.redis.xlen(app.keys.callbackOutbox),
  ]);
  const findings: Finding[] = [];
  if (paused.length > 0) {
    const message = `callback endpoints are paused after repeated failures: ${nameList(paused.map(({ endpoint }) => endpoint))}`;
    const fix = 'Fix the receivers. Then run `tiktok-publisher callbacks resume`, or wait up to ten minutes.';
    findings.push({ check: 'callbacks', level: 'problem', message, fix });
  }
  if (disabled.length > 0) {
    const message = `callback URLs responded with 410 and get no more events: ${nameList(disabled.map(({ endpoint }) => endpoint))}`;
    const fix = 'If that was a mistake: `tiktok-publisher callbacks resume`, then `callbacks replay --failed`.';
    findings.push({ check: 'callbacks', level: 'advice', message, fix });
  }
  if (counts.failed > 0) {
    const message = `${counts.failed} callback events failed permanently`;
    const fix = 'To see why: `tiktok-publisher callbacks list`. To deliver them again: `callbacks replay --failed`.';
    findings.push({ check: 'callbacks', level: 'advice', message, fix });
  }
  if (waitingInOutbox > UNRELAYED_FROM) {
    const message = `${waitingInOutbox} callback events are waiting, but no worker takes them`;
    const fix = 'Run `tiktok-publisher start`, or `tiktok-publisher worker` of the kind events.';
    findings.push({ check: 'callbacks', level: 'problem', message, fix });
  }
  const ok: Finding = {
    check: 'callbacks',
    level: 'ok',
    message: `${counts.delayed} callback events are waiting for their next delivery attempt`,
  };
  return findings.length > 0 ? findings : [ok];
}
