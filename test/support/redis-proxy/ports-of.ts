import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** From which local ports a process is connected to a port over IPv4; undefined where the system does not tell. */
export function portsOf(pid: number, toPort: number): ReadonlySet<number> | undefined {
  if (process.platform !== 'linux') return undefined;
  const inodes = socketsOf(pid);
  const ports = readFileSync('/proc/net/tcp', 'latin1')
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , , , , , , , inode]) => inode !== undefined && inodes.has(inode))
    .filter(([, , remote = '']) => portIn(remote) === toPort)
    .map(([, local = '']) => portIn(local));
  return new Set(ports);
}

/** From `0100007F:1F90`. */
function portIn(address: string): number {
  return Number.parseInt(address.slice(address.indexOf(':') + 1), 16);
}

/** A process that ended has none. */
function socketsOf(pid: number): ReadonlySet<string> {
  try {
    const folder = `/proc/${pid}/fd`;
    return new Set(readdirSync(folder).flatMap((name) => socketBehind(`${folder}/${name}`)));
  } catch {
    return new Set();
  }
}

function socketBehind(path: string): string[] {
  try {
    const [, inode] = /^socket:\[(\d+)\]$/.exec(readlinkSync(path)) ?? [];
    return inode === undefined ? [] : [inode];
  } catch {
    return [];
  }
}
