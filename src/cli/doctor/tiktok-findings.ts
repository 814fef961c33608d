import type { Config } from '../../config/load-config.ts';
import { PublishError } from '../../core/publish-error.ts';
import { reachApi } from '../../tiktok/reachability.ts';
import { durationText } from '../quantity-text.ts';
import type { Finding } from './finding.ts';

/** Whether TikTok can be reached from here, and the app be known to it. */
export async function tiktokFindings({ tiktok }: Config): Promise<Finding[]> {
  const { apiBaseUrl, clientKey } = tiktok;
  const reached = await tryToReach(apiBaseUrl);
  if (clientKey !== undefined) return [reached];
  return [
    reached,
    {
      check: 'tiktok',
      level: 'advice',
      message:
        'without TIKTOK_CLIENT_KEY and TIKTOK_CLIENT_SECRET no token is renewed and no account can be connected in a browser',
      fix: 'Copy both from your app in the TikTok developer portal.',
    },
  ];
}

async function tryToReach(apiBaseUrl: string): Promise<Finding> {
  try {
    const { durationMs } = await reachApi(apiBaseUrl);
    return { check: 'tiktok', level: 'ok', message: `${apiBaseUrl} answers within ${durationText(durationMs)}` };
  } catch (error) {
    if (!(error instanceof PublishError)) throw error;
    return {
      check: 'tiktok',
      level: 'problem',
      message: `${apiBaseUrl} cannot be reached: ${error.message}`,
      fix: 'Check TIKTOK_API_BASE_URL, name resolution, and that the firewall lets this machine out.',
    };
  }
}
