import type { RuleId } from './conformance-rules.ts';
import { type Endpoint, matchesFilter } from './faults.ts';
import type { PostView, PublishView } from './publish-views.ts';
import type { ChunkRecord } from './publishes.ts';
import { peakWithin } from './windows.ts';

/** What became of a request: the status answered, or why none was. */
export type Outcome = number | 'dropped' | 'stalled' | 'aborted';

/** One request. No entry holds a token, a secret or an upload URL. */
export interface JournalEntry {
  /** Number of the request, from 1, in the order of arrival. */
  seq: number;
  /** Arrival, epoch ms by the simulator's clock. */
  at: number;
  /** What was called. */
  endpoint: Endpoint;
  /** `aborted`: the client left before its request was complete. */
  httpStatus: Outcome;
  /** The error code of the answer, `ok` where it succeeded. */
  code?: string | undefined;
  /** Whose token it came with. */
  openId?: string | undefined;
  /** Which publish it was about. */
  publishId?: string | undefined;
  /** The kind of scripted fault the request met. */
  fault?: string | undefined;
  /** The PUT's side of it. */
  chunk?: ChunkRecord;
  /** `grant_type` of a token request. */
  grantType?: string | undefined;
  /** Rules of the contract that the request broke, by id. */
  broke?: RuleId[] | undefined;
}

/** Selects entries; every given field must be equal. */
export type JournalFilter = Partial<
  Pick<JournalEntry, 'endpoint' | 'openId' | 'publishId' | 'httpStatus' | 'code' | 'fault'>
>;

interface Waiter {
  isMet(entry?: JournalEntry): boolean;
  resolve(): void;
  reject(error: Error): void;
}

/** What the journal can tell about publishes. */
export interface PublishLedger {
  publishes(): PublishView[];
  posts(): PostView[];
  /** Bytes of PUT bodies that a publish has received. */
  receivedBytes(publishId: string): number;
}

/** Everything that was asked of the simulator, in the order of the answers. */
export class Journal {
  readonly #limit: number;
  readonly #ledger: PublishLedger;
  readonly #waiters = new Set<Waiter>();
  #entries: JournalEntry[] = [];
  #lastSeq = 0;

  constructor(limit: number, ledger: PublishLedger) {
    this.#limit = limit;
    this.#ledger = ledger;
  }

  get entries(): readonly JournalEntry[] {
    return this.#entries;
  }

  /** Entries that match the filter. */
  requests(filter: JournalFilter = {}): JournalEntry[] {
    return this.#entries.filter((entry) => matchesFilter(entry, filter));
  }

  /** Every publish as it stands now. */
  publishes(): PublishView[] {
    return this.#ledger.publishes();
  }

  /** Every post that exists now, public or not. */
  posts(): PostView[] {
    return this.#ledger.posts();
  }

  /** The most requests any one user sent to `endpoint` within any window of `windowMs`, throttled ones included. */
  peakPerWindow(endpoint: Endpoint, windowMs: number): number {
    const instantsByUser = new Map<string, number[]>();
    for (const entry of this.#entries) {
      if (entry.endpoint !== endpoint || entry.openId === undefined) continue;
      const instants = instantsByUser.get(entry.openId) ?? [];
      instants.push(entry.at);
      instantsByUser.set(entry.openId, instants);
    }
    const peaks = [...instantsByUser.values()].map((instants) => peakWithin(instants, windowMs));
    return Math.max(0, ...peaks);
  }

  /**
   * The first entry that matches, now or later.
   * @throws Error when none came within `timeoutMs` (default 10000), or the simulator closed.
   */
  async waitFor(predicate: (entry: JournalEntry) => boolean, { timeoutMs = 10_000 } = {}): Promise<JournalEntry> {
    let found = this.#entries.find(predicate);
    if (found !== undefined) return found;
    await this.#until(`a matching request within ${timeoutMs} ms`, timeoutMs, (entry) => {
      if (entry !== undefined && predicate(entry)) found = entry;
      return found !== undefined;
    });
    if (found === undefined) throw new Error('woken without an entry');
    return found;
  }

  /**
   * Resolves once a publish has received so many bytes of PUT bodies, accepted or not, while they come in; for a test
   * that interrupts an upload in the middle.
   * @throws Error when that did not happen within `timeoutMs` (default 10000), or the simulator closed.
   */
  async waitForReceived(publishId: string, receivedBytes: number, { timeoutMs = 10_000 } = {}): Promise<void> {
    const isReached = () => this.#ledger.receivedBytes(publishId) >= receivedBytes;
    if (isReached()) return;
    await this.#until(`${receivedBytes} bytes of ${publishId} within ${timeoutMs} ms`, timeoutMs, isReached);
  }

  /** Adds an entry and wakes who waits for it. @returns its number */
  record(entry: Omit<JournalEntry, 'seq'>): number {
    const numbered = { seq: ++this.#lastSeq, ...entry };
    this.#entries.push(numbered);
    // Drops a tenth at once, so that a full journal does not move all its entries at every request.
    if (this.#entries.length > this.#limit) this.#entries = this.#entries.slice(Math.ceil(this.#limit / 10));
    this.#wake(numbered);
    return numbered.seq;
  }

  /** Tells that bytes of some PUT came in. */
  noteBytes(): void {
    this.#wake();
  }

  clear(): void {
    this.#entries = [];
  }

  /** Ends every wait with an error. */
  close(): void {
    for (const waiter of this.#waiters) waiter.reject(new Error('the simulator closed'));
  }

  #wake(entry?: JournalEntry): void {
    for (const waiter of this.#waiters) {
      if (waiter.isMet(entry)) waiter.resolve();
    }
  }

  #until(wanted: string, timeoutMs: number, isMet: Waiter['isMet']): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (outcome: () => void) => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
        outcome();
      };
      const waiter: Waiter = {
        isMet,
        resolve: () => settle(resolve),
        reject: (error) => settle(() => reject(error)),
      };
      const timer = setTimeout(() => waiter.reject(new Error(`timed out waiting for ${wanted}`)), timeoutMs);
      this.#waiters.add(waiter);
    });
  }
}
