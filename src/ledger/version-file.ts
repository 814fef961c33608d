import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { foreignOwner } from '../core/file-trust.ts';
import type { LedgerVersion } from '../core/ledger-version.ts';
import { versionSchema } from './version-store.ts';

/** What this machine last saw of a ledger, kept over restarts. */
export interface VersionFile {
  readonly path: string;
  /** Undefined where nothing is kept, or nothing that can be read. */
  read(): Promise<LedgerVersion | undefined>;
  /** @throws Error when the folder can't be written to */
  write(version: LedgerVersion): Promise<void>;
}

const MAX_LEDGERS = 100;

/** By name of the ledger. */
const versionsSchema = z.record(z.string(), versionSchema);

/** The file of versions of a process; undefined for a ledger without a name: nothing is kept of it. */
export function versionFileOf(of: {
  readonly config: { readonly dataDir: string };
  readonly ledgerName: string | undefined;
}): VersionFile | undefined {
  const { config, ledgerName } = of;
  return ledgerName === undefined ? undefined : createVersionFile({ dataDir: config.dataDir, ledgerName });
}

/**
 * The file of versions in the data folder. It holds no secret, and is read by its owner alone all the same.
 * @param ledgerName tells this ledger from others; holds no secret
 * @internal
 */
export function createVersionFile({ dataDir, ledgerName }: { dataDir: string; ledgerName: string }): VersionFile {
  const path = join(dataDir, 'ledger-mark.json');

  /** In a stranger's folder, what is read may be made up, and what is written may go through his links. */
  async function refuseForeign(): Promise<void> {
    const foreign = foreignOwner(await stat(dataDir), process.getuid?.());
    if (foreign !== undefined) throw new Error(`the data folder ${dataDir} ${foreign}`);
  }

  async function readAll(): Promise<Record<string, LedgerVersion>> {
    try {
      await refuseForeign();
      return versionsSchema.parse(JSON.parse(await readFile(path, 'utf8')));
    } catch {
      return {};
    }
  }

  return {
    path,

    async read() {
      const versions = await readAll();
      return Object.hasOwn(versions, ledgerName) ? versions[ledgerName] : undefined;
    },

    async write(version) {
      const versions = newest(await readAll());
      const kept = Object.hasOwn(versions, ledgerName) ? versions[ledgerName] : undefined;
      // Another process of this machine may have seen more.
      if (kept !== undefined && kept.id === version.id && kept.count >= version.count) return;
      await mkdir(dataDir, { recursive: true, mode: 0o700 });
      await refuseForeign();
      const unfinished = `${path}.${randomUUID()}`;
      try {
        await writeFile(unfinished, `${JSON.stringify({ ...versions, [ledgerName]: version })}\n`, { mode: 0o600 });
        await rename(unfinished, path);
      } catch (error) {
        await rm(unfinished, { force: true }).catch(() => undefined);
        throw error;
      }
    },
  };
}

/** Prefixes that nobody uses any more need not be kept for ever. */
function newest(versions: Record<string, LedgerVersion>): Record<string, LedgerVersion> {
  const latestFirst = Object.entries(versions).toSorted(([, a], [, b]) => b.at - a.at);
  return Object.fromEntries(latestFirst.slice(0, MAX_LEDGERS));
}
