import { afterEach } from 'vitest';
import {
  type AccountTokens,
  type Simulator,
  type SimulatorOptions,
  startSimulator,
} from '../../src/simulator/index.ts';
import { call, dataText, directPost, wholeFile } from './api-calls.ts';

let running: Simulator[] = [];

afterEach(async () => {
  await Promise.all(running.map((simulator) => simulator.close()));
  running = [];
});

/** Starts a simulator that ends with the test. */
export async function start(options: SimulatorOptions = {}): Promise<Simulator> {
  const simulator = await startSimulator(options);
  running.push(simulator);
  return simulator;
}

/** A clock that stands until it is moved. */
export function handClock(now = 1_700_000_000_000) {
  return {
    now: () => now,
    advance: (ms: number) => {
      now += ms;
    },
  };
}

/** A simulator whose clock a test moves by hand, with one account. */
export async function startWithClock(options: SimulatorOptions = {}) {
  const clock = handClock();
  // The clock may leap by days here; tokens are not what these tests are about.
  const simulator = await start({ clock, accessTokenSeconds: 31_536_000, ...options });
  return { clock, simulator, account: simulator.addAccount() };
}

/** Starts a publish of a file in one chunk and gives what init answered. */
export async function initFile(
  simulator: Simulator,
  account: AccountTokens,
  totalBytes: number,
  postInfo: Record<string, unknown> = {},
) {
  const reply = await call(simulator, account, 'video_init', directPost(totalBytes, postInfo));
  return { publishId: dataText(reply, 'publish_id'), uploadUrl: dataText(reply, 'upload_url') };
}

/** Starts a draft of a file in one chunk and gives what init answered. */
export async function initDraft(simulator: Simulator, account: AccountTokens, totalBytes: number) {
  const reply = await call(simulator, account, 'inbox_init', { source_info: wholeFile(totalBytes) });
  return { publishId: dataText(reply, 'publish_id'), uploadUrl: dataText(reply, 'upload_url') };
}
