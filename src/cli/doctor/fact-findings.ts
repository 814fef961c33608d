import type { FactReport } from '../../core/learned-facts.ts';
import type { Finding } from './finding.ts';

const UNAUDITED_FIX =
  'Post SELF_ONLY to private accounts, or have the app audited. Then retry a failed job: it asks TikTok again.';

/** What jobs have learned from TikTok's answers. */
export async function factFindings(list: () => Promise<readonly FactReport[]>): Promise<Finding[]> {
  return (await list()).map(({ name, value, text, learnedAt, jobId }) => {
    const message = `${text} (job ${jobId}, ${learnedAt})`;
    const isUnaudited = name === 'audited' && value === false;
    return isUnaudited
      ? { check: 'tiktok', level: 'advice', message, fix: UNAUDITED_FIX }
      : { check: 'tiktok', level: 'ok', message };
  });
}
