import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { firstLine } from './first-line.ts';

/** Appends every 5 ms and tells when it is at it. */
const SCRIPT = `
  const { appendFileSync } = require('node:fs');
  let count = 0;
  setInterval(() => {
    appendFileSync(process.argv[1], Buffer.alloc(1_000, 7));
    if (++count === 5) process.stdout.write('writing\\n');
  }, 5);
  process.stdin.on('end', () => process.exit()).resume();
`;

/** A process that appends to a file all the time. @returns once it does, how to end it */
export async function startWriter(path: string): Promise<{ stop(): Promise<void> }> {
  const writer = spawn(process.execPath, ['-e', SCRIPT, path], { stdio: ['pipe', 'pipe', 'inherit'] });
  await firstLine(writer);
  return {
    async stop() {
      writer.stdin.end();
      await once(writer, 'exit');
    },
  };
}
