import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { Link, type LinkFault, type PeerKind } from './link.ts';
import { portsOf } from './ports-of.ts';
import { quietPort } from './quiet-port.ts';

/** Which connections a fault hits; all of them unless told. */
export interface LinkFilter {
  readonly kind?: PeerKind;
  /** The process at the near end. Known on Linux only; elsewhere the fault hits everybody. */
  readonly pid?: number;
}

interface ActiveFault {
  readonly filter: LinkFilter;
  readonly how: LinkFault;
}

/** What stands in front of one Redis: everybody who wants it comes through here, so each path can be broken. */
export interface RedisProxy {
  readonly port: number;
  /** Breaks the connections of a filter, and those that are made until it is healed. @returns what heals it */
  break(how: LinkFault, filter?: LinkFilter): () => void;
  close(): Promise<void>;
}

/** Opens a proxy to a loopback port. */
export async function openProxy(targetPort: number): Promise<RedisProxy> {
  const links = new Set<Link>();
  const faults = new Set<ActiveFault>();
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const link = new Link(near, targetPort, refresh);
    links.add(link);
    near.on('close', () => links.delete(link));
    refresh(link);
  });

  /** Applies to a link what is active now; called when it is new, and when it turns out what it is. */
  function refresh(link: Link): void {
    link.heal();
    for (const { filter, how } of faults) {
      // Only a new connection is refused, and only one that was there is cut or stranded.
      if (isHit(link, filter)) link.suffer(how === 'refuse' ? 'cut' : how);
    }
  }

  return {
    port: await listen(server),
    break(how, filter = {}) {
      const hit = [...links].filter((link) => isHit(link, filter));
      if (how === 'cut' || how === 'half_close' || how === 'strand') {
        for (const link of hit) link.suffer(how);
        return () => undefined;
      }
      const fault = { filter, how };
      faults.add(fault);
      for (const link of hit) link.suffer(how === 'refuse' ? 'cut' : how);
      return () => {
        if (faults.delete(fault)) for (const link of links) refresh(link);
      };
    },
    async close() {
      for (const link of links) link.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function isHit({ kind, near }: Link, filter: LinkFilter): boolean {
  if (filter.kind !== undefined && filter.kind !== kind) return false;
  return filter.pid === undefined || isOf(filter.pid, near);
}

function isOf(pid: number, { remotePort, localPort = 0 }: Socket): boolean {
  const ports = portsOf(pid, localPort);
  return ports === undefined || (remotePort !== undefined && ports.has(remotePort));
}

async function listen(server: Server): Promise<number> {
  const port = await quietPort();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return port;
}
