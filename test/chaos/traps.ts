import { writeSync } from 'node:fs';
import { z } from 'zod';

/** What a worker does to itself at a trap. */
const TRAP_ACTIONS = ['kill', 'stop', 'block', 'term'] as const;

/** A step of a worker at which something happens to it. */
export const trapSchema = z.strictObject({
  /** `commit:init_sent`, `claim`, `note`, `init`, `put`, `fetchStatus`, `bull:moveToFinished` and so on, or `any`. */
  step: z.string(),
  /** `during`: inside a chunk, once `afterBytes` of it went out. */
  moment: z.enum(['before', 'during', 'after']),
  /** The how manieth time, from 1, counted from when the trap was set. */
  nth: z.int().min(1),
  afterBytes: z.int().min(0).exactOptional(),
  /**
   * `kill`: SIGKILL. `stop`: SIGSTOP, until somebody sends SIGCONT. `block`: an event loop that stands still for `blockMs`.
   * `term`: SIGTERM, a graceful end.
   */
  action: z.enum(TRAP_ACTIONS),
  blockMs: z.int().min(0).exactOptional(),
});
export type Trap = z.infer<typeof trapSchema>;

/** What a chaos process tells its supervisor, one JSON line each on stdout. */
export const noticeSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('ready') }),
  /** A trap is about to act. */
  z.strictObject({ kind: z.literal('trapped'), trap: trapSchema, at: z.number() }),
  /** The process owns a publish job: since some moment between its question, which a fetch asks early, and now. */
  z.strictObject({ kind: z.literal('claimed'), id: z.string(), askedAt: z.number(), at: z.number() }),
  /** The process sends the next piece of a publish job's video. */
  z.strictObject({ kind: z.literal('sending'), id: z.string(), at: z.number() }),
  /** A publish job was accepted. */
  z.strictObject({ kind: z.literal('accepted'), id: z.string() }),
]);
export type Notice = z.infer<typeof noticeSchema>;

/** Tells the supervisor, surely before the next instruction: the process may be killed by it. */
export function tell(notice: Notice): void {
  writeSync(1, `${JSON.stringify(notice)}\n`);
}

interface ArmedTrap {
  readonly trap: Trap;
  seen: number;
}

/** The traps of one process. */
export class Traps {
  #armed: ArmedTrap[] = [];

  /** Sets traps in place of those that have not acted yet. */
  arm(traps: readonly Trap[]): void {
    this.#armed = traps.map((trap) => ({ trap, seen: 0 }));
  }

  /** Passes a step; the process may not survive it. */
  pass(step: string, moment: 'before' | 'after'): void {
    for (const armed of this.#armed) {
      const { trap } = armed;
      if (trap.moment !== moment || (trap.step !== step && trap.step !== 'any')) continue;
      armed.seen += 1;
      if (armed.seen === trap.nth) this.#spring(armed);
    }
  }

  /** The trap that will act inside the chunk which begins now, if there is one. */
  insideChunk(): { readonly afterBytes: number; spring(): void } | undefined {
    for (const armed of this.#armed) {
      if (armed.trap.step !== 'put' || armed.trap.moment !== 'during') continue;
      armed.seen += 1;
      if (armed.seen !== armed.trap.nth) continue;
      return { afterBytes: armed.trap.afterBytes ?? 0, spring: () => this.#spring(armed) };
    }
    return undefined;
  }

  #spring(armed: ArmedTrap): void {
    this.#armed = this.#armed.filter((other) => other !== armed);
    const { trap } = armed;
    tell({ kind: 'trapped', trap, at: Date.now() });
    if (trap.action === 'kill') process.kill(process.pid, 'SIGKILL');
    if (trap.action === 'stop') process.kill(process.pid, 'SIGSTOP');
    if (trap.action === 'term') process.kill(process.pid, 'SIGTERM');
    if (trap.action === 'block') blockEventLoop(trap.blockMs ?? 0);
  }
}

/** Nothing else runs meanwhile, as in a long synchronous computation; but costs the machine no time. */
function blockEventLoop(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
