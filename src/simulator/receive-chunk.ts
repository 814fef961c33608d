import type { IncomingMessage } from 'node:http';
import type { FaultAct } from './faults.ts';
import { dropConnection } from './http-exchange.ts';
import type { World } from './world.ts';

/** How the body of a PUT ended. `stalled`: a fault stopped reading for good. */
export type Reception = 'complete' | 'aborted' | 'dropped' | 'stalled';

/** Reads the body of a PUT, at the pace and to the point that the fault allows. */
export function receiveChunk(
  world: World,
  request: IncomingMessage,
  fault: FaultAct | undefined,
  onBytes: (bytes: Buffer) => void,
): Promise<Reception> {
  return new Promise((resolve) => {
    let receivedBytes = 0;
    let hasStalled = false;
    const pauseFor = (ms: number) => {
      request.pause();
      void world.wait(ms).then((isOpen) => isOpen && request.resume());
    };
    const obeyFault = (latestBytes: number) => {
      if (fault?.kind === 'drop_mid_body' && receivedBytes >= fault.afterBytes) {
        resolve('dropped');
        dropConnection(request);
      } else if (fault?.kind === 'slow_read') {
        pauseFor((latestBytes / fault.bytesPerSecond) * 1_000);
      } else if (fault?.kind === 'stall' && !hasStalled && receivedBytes >= (fault.afterBytes ?? 0)) {
        hasStalled = true;
        if (fault.ms !== undefined) return pauseFor(fault.ms);
        request.pause();
        resolve('stalled');
      }
    };
    request.on('data', (bytes: Buffer) => {
      receivedBytes += bytes.length;
      onBytes(bytes);
      if (fault !== undefined) obeyFault(bytes.length);
    });
    request.on('end', () => resolve('complete'));
    request.on('error', () => resolve('aborted'));
    request.on('close', () => resolve('aborted'));
  });
}
