import type { Config } from '../../config/load-config.ts';
import { otherTikTok } from '../../config/tiktok-address.ts';
import type { FactReport } from '../../core/learned-facts.ts';
import { PublishError } from '../../core/publish-error.ts';
import { timeText } from '../../core/quantity-text.ts';
import { reachApi } from '../../tiktok/reachability.ts';
import { tiktokClockFinding } from './clock-findings.ts';
import type { Finding } from './finding.ts';

/** Whether TikTok can be reached from here, at our time, and the app be known to it. @param now our clock, in ms */
export async function tiktokFindings(
  { tiktok, proxy }: Pick<Config, 'tiktok' | 'proxy'>,
  now: () => number,
): Promise<Finding[]> {
  const { apiBaseUrl, clientKey } = tiktok;
  const reached = [...elsewhereFindings(apiBaseUrl), ...(await tryToReach(apiBaseUrl, now, proxy))];
  if (clientKey !== undefined) return reached;
  return [
    ...reached,
    {
      check: 'tiktok',
      level: 'advice',
      message:
        'TIKTOK_CLIENT_KEY and TIKTOK_CLIENT_SECRET are not set: no token is refreshed, and no account can be connected in a browser',
      fix: 'Copy both values from your app in the TikTok developer portal.',
    },
  ];
}

function elsewhereFindings(apiBaseUrl: string): Finding[] {
  const message = otherTikTok(apiBaseUrl);
  const fix = 'If this is not a simulator of yours, remove TIKTOK_API_BASE_URL, and find out who set it.';
  return message === undefined ? [] : [{ check: 'tiktok', level: 'advice', message, fix }];
}

async function tryToReach(apiBaseUrl: string, now: () => number, proxy: Config['proxy']): Promise<Finding[]> {
  try {
    const { durationMs, clockAheadMs } = await reachApi(apiBaseUrl, now, proxy);
    const message = `${apiBaseUrl} responded within ${Math.ceil(durationMs)} ms`;
    const clock = clockAheadMs === undefined ? [] : [tiktokClockFinding(clockAheadMs)];
    return [{ check: 'tiktok', level: 'ok', message }, ...clock];
  } catch (error) {
    if (!(error instanceof PublishError)) throw error;
    const found = {
      check: 'tiktok',
      level: 'problem',
      message: `${apiBaseUrl} cannot be reached: ${error.message}`,
      fix: 'Check TIKTOK_API_BASE_URL, DNS, and that the firewall allows outgoing connections. If only a proxy leads out, set HTTPS_PROXY. If it replaces certificates, name the file with the certificate of its authority in NODE_EXTRA_CA_CERTS.',
    } as const;
    return [found];
  }
}

const UNAUDITED_FIX =
  'Post SELF_ONLY to private accounts, or have the app audited. Then retry a failed job: it asks TikTok again.';

/** What jobs have learned from TikTok's answers. */
export async function factFindings(list: () => Promise<readonly FactReport[]>): Promise<Finding[]> {
  return (await list()).map(({ name, value, text, learnedAt, jobId }) => {
    const message = `${text} (job ${jobId}, ${timeText(learnedAt)})`;
    const isUnaudited = name === 'audited' && value === false;
    return isUnaudited
      ? { check: 'tiktok', level: 'advice', message, fix: UNAUDITED_FIX }
      : { check: 'tiktok', level: 'ok', message };
  });
}
