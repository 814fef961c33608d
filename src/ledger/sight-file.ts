import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { LedgerSight } from '../core/ledger-sight.ts';
import { sightSchema } from './ledger-mark.ts';

/** What this machine last saw of a ledger, kept over restarts. */
export interface SightFile {
  readonly path: string;
  /** Undefined where nothing is kept, or nothing that can be read. */
  read(): Promise<LedgerSight | undefined>;
  /** @throws Error when the folder can't be written to */
  write(sight: LedgerSight): Promise<void>;
}

const MAX_LEDGERS = 100;

/** By name of the ledger. */
const sightsSchema = z.record(z.string(), sightSchema);

/** The file of sights of a process; undefined for a ledger without a name, of which nothing is kept. */
export function sightFileOf(of: {
  readonly config: { readonly dataDir: string };
  readonly ledgerName: string | undefined;
}): SightFile | undefined {
  const { config, ledgerName } = of;
  return ledgerName === undefined ? undefined : createSightFile({ dataDir: config.dataDir, ledgerName });
}

/**
 * The file of sights in the data folder. It holds no secret, and is read by its owner alone all the same.
 * @param ledgerName tells this ledger from others; holds no secret
 * @internal
 */
export function createSightFile({ dataDir, ledgerName }: { dataDir: string; ledgerName: string }): SightFile {
  const path = join(dataDir, 'ledger-mark.json');

  async function readAll(): Promise<Record<string, LedgerSight>> {
    try {
      return sightsSchema.parse(JSON.parse(await readFile(path, 'utf8')));
    } catch {
      return {};
    }
  }

  return {
    path,

    async read() {
      const sights = await readAll();
      return Object.hasOwn(sights, ledgerName) ? sights[ledgerName] : undefined;
    },

    async write(sight) {
      const sights = newest(await readAll());
      const kept = Object.hasOwn(sights, ledgerName) ? sights[ledgerName] : undefined;
      // Another process of this machine may have seen more.
      if (kept !== undefined && kept.id === sight.id && kept.count >= sight.count) return;
      await mkdir(dataDir, { recursive: true, mode: 0o700 });
      const unfinished = `${path}.${randomUUID()}`;
      try {
        await writeFile(unfinished, `${JSON.stringify({ ...sights, [ledgerName]: sight })}\n`, { mode: 0o600 });
        await rename(unfinished, path);
      } catch (error) {
        await rm(unfinished, { force: true }).catch(() => undefined);
        throw error;
      }
    },
  };
}

/** Prefixes that nobody uses any more need not be kept for ever. */
function newest(sights: Record<string, LedgerSight>): Record<string, LedgerSight> {
  const latestFirst = Object.entries(sights).toSorted(([, a], [, b]) => b.at - a.at);
  return Object.fromEntries(latestFirst.slice(0, MAX_LEDGERS));
}
