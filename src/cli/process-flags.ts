import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { MEBIBYTE_BYTES } from '../core/units.ts';

/** Where V8's quick compiler knows all of WebAssembly. */
const ARCHITECTURES = ['x64', 'arm64'];

/** What processes that are ours alone tell V8; each costs less than it saves. */
const PROCESS_FLAGS = [
  // undici parses HTTP in WebAssembly, whose one huge function V8 would optimise: 35 MiB and 80 ms of CPU, for nothing.
  ...(ARCHITECTURES.includes(process.arch) ? ['--liftoff-only'] : []),
];

/**
 * Room for new objects (bytes), twice: V8 begins with 1 MiB, in which it would look for garbage four times as often, and
 * would go up to 16, which takes 15 to 25 MiB more. Most of our objects end within a few ms.
 */
const NEW_OBJECTS_BYTES = 4 * MEBIBYTE_BYTES;
/** It takes about 40 of these to grow; more would mean that V8 counts in another way. */
const MOST_OBJECTS = 200;

/** To be called before a command loads its code: what was optimised or grew stays so. */
export function setProcessFlags(): void {
  for (const flag of PROCESS_FLAGS) setFlagsFromString(flag);
  growNewSpace();
}

/** V8 grows the room while objects outlive its collections, and by a factor that it reads each time. */
function growNewSpace(): void {
  setFlagsFromString('--semi-space-growth-factor=2');
  const kept: unknown[] = [];
  while (newSpaceBytes() < NEW_OBJECTS_BYTES && kept.length < MOST_OBJECTS) kept.push(new Array(4_096).fill(0));
  setFlagsFromString('--semi-space-growth-factor=1');
}

function newSpaceBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')?.space_size ?? 0;
}
