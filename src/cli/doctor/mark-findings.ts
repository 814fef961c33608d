import type { App } from '../../app/open-app.ts';
import type { StoredParts } from '../../app/redis-parts.ts';
import { describeDoubt, ownDoubt, WAY_OUT } from '../../ledger/ledger-doubt.ts';
import { sightFileOf } from '../../ledger/sight-file.ts';
import type { Finding } from './finding.ts';

/** Whether Redis was set back to an older state, by what workers say and by what this machine saw last. */
export async function markFindings(app: App, { mark }: Pick<StoredParts, 'mark'>): Promise<Finding[]> {
  const found = await mark.read();
  const doubt = found.doubts[0] ?? ownDoubt(await sightFileOf(app)?.read(), found);
  if (doubt === undefined) return [];
  return [{ check: 'redis', level: 'problem', message: describeDoubt(doubt), fix: WAY_OUT }];
}
