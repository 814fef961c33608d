import type { WaitReason } from './publish-state.ts';

/** A call that was booked in TikTok's quota and not made yet. */
export interface BookedCall {
  readonly endpoint: string;
  /** Ms since the epoch. */
  readonly at: number;
}

/** Thrown by a step that has to wait for something; costs no attempt. */
export class Deferral extends Error {
  readonly waitReason: WaitReason;
  /** Ms since the epoch. */
  readonly until: number;
  readonly bookedSlot: BookedCall | undefined;

  constructor(waitReason: WaitReason, until: number, bookedSlot?: BookedCall) {
    super(`waiting for ${waitReason}`);
    this.name = 'Deferral';
    this.waitReason = waitReason;
    this.until = until;
    this.bookedSlot = bookedSlot;
  }
}

/** Thrown at a chunk edge when the worker drains: the job goes back to the queue as it is. */
export class Handback extends Error {
  constructor() {
    super('the worker is shutting down');
    this.name = 'Handback';
  }
}
