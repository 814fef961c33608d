import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * What can happen to a connection:
 *
 * - `cut`: both ends get a reset
 * - `refuse`: the same, and new ones are not taken
 * - `delay`: everything comes late
 * - `deaf`, `mute`: Redis hears nothing, or is not heard; nobody is told
 * - `black_hole`: both, until it heals; then what was under way arrives, as TCP has it
 * - `strand`: as when a firewall forgets a connection: silent for ever, but new ones are fine
 * - `half_close`: the client is told that Redis sends no more, and Redis is told nothing
 */
export type LinkFault = 'cut' | 'refuse' | 'delay' | 'deaf' | 'mute' | 'black_hole' | 'strand' | 'half_close';

/** Who is at the near end, told from what it says first. */
export type PeerKind = 'client' | 'replica' | 'sentinel';

const DELAY_MS = 250;
/** How much of a connection is looked at to tell who it is. */
const SNIFFED_BYTES = 2_048;

interface LinkOwner {
  /** Called when a link turns out to be no client's. */
  readonly onKnown: (link: Link) => void;
  /** A line to answer instead of Redis; undefined passes on what was sent. */
  readonly replyTo: (sent: string) => string | undefined;
}

/** One connection through a proxy. */
export class Link {
  readonly near: Socket;
  kind: PeerKind = 'client';
  readonly #far: Socket;
  readonly #onKnown: (link: Link) => void;
  #sniffed = '';
  #isStranded = false;
  #delayMs = 0;

  constructor(near: Socket, targetPort: number, { onKnown, replyTo }: LinkOwner) {
    this.near = near;
    this.#onKnown = onKnown;
    this.#far = connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true });
    near.on('data', (bytes: Buffer) => this.#sniff(bytes));
    this.#pump(near, this.#far, replyTo);
    this.#pump(this.#far, near);
  }

  suffer(how: LinkFault): void {
    switch (how) {
      case 'cut':
      case 'refuse':
        this.near.resetAndDestroy();
        this.#far.resetAndDestroy();
        return;
      case 'half_close':
        this.near.end();
        return;
      case 'delay':
        this.#delayMs = DELAY_MS;
        return;
      case 'strand':
        this.#isStranded = true;
    }
    if (how !== 'mute') this.near.pause();
    if (how !== 'deaf') this.#far.pause();
  }

  heal(): void {
    this.#delayMs = 0;
    if (this.#isStranded) return;
    this.near.resume();
    this.#far.resume();
  }

  destroy(): void {
    this.near.destroy();
    this.#far.destroy();
  }

  /** Passes bytes and the end on; late ones in their order. */
  #pump(from: Socket, to: Socket, replyTo: LinkOwner['replyTo'] = () => undefined): void {
    let last: Promise<unknown> = Promise.resolve();
    let isQueued = 0;
    const inOrder = (act: () => void): void => {
      if (this.#delayMs === 0 && isQueued === 0) {
        act();
        return;
      }
      isQueued += 1;
      const due = sleep(this.#delayMs);
      last = last.then(async () => {
        await due;
        isQueued -= 1;
        act();
      });
    };
    from.on('data', (bytes: Buffer) =>
      inOrder(() => {
        const reply = replyTo(bytes.toString('latin1'));
        if (reply !== undefined) from.write(`${reply}\r\n`);
        else if (to.writable) to.write(bytes);
      }),
    );
    from.on('end', () => inOrder(() => void to.end()));
    from.on('error', () => undefined);
    from.on('close', () => to.destroy());
  }

  #sniff(bytes: Buffer): void {
    if (this.kind !== 'client' || this.#sniffed.length > SNIFFED_BYTES) return;
    this.#sniffed += bytes.toString('latin1', 0, SNIFFED_BYTES);
    const kind = kindOf(this.#sniffed);
    if (kind === 'client') return;
    this.kind = kind;
    this.#onKnown(this);
  }
}

function kindOf(said: string): PeerKind {
  if (/REPLCONF|PSYNC/i.test(said)) return 'replica';
  return /SETNAME\r\n\$\d+\r\nsentinel-/i.test(said) ? 'sentinel' : 'client';
}
