import { once } from 'node:events';
import { createServer } from 'node:net';
import { Link, type LinkFault, type PeerKind } from './link.ts';
import { portsOf } from './ports-of.ts';
import { quietPort } from './quiet-port.ts';

/** Which connections a fault hits; by default all of them. */
interface LinkFilter {
  readonly kind?: PeerKind;
  /** The process at the near end. Known on Linux only; elsewhere the fault hits everybody. */
  readonly pid?: number;
}

interface ActiveFault {
  readonly filter: LinkFilter;
  readonly how: LinkFault;
  readonly hit: Set<Link>;
}

/** What happens to connections that are there, and does not last: new ones are fine. */
const PASSING: readonly LinkFault[] = ['cut', 'half_close', 'strand'];

/** What stands in front of one Redis: everybody who wants it comes through here, so each path can be broken. */
export interface RedisProxy {
  readonly port: number;
  readonly url: string;
  /** Breaks the connections of a filter, and those that are made until it is healed. @returns what heals it */
  break(how: LinkFault, filter?: LinkFilter): () => void;
  /** Heals everything that is broken. */
  heal(): void;
  /** Answers clients itself, with the line that this gives; what it gives none for is passed on. */
  answer(replyTo: (sent: string) => string | undefined): void;
  /** Leads new connections to another port, as a DNS entry that changes; the others stay where they are. */
  retarget(port: number): void;
  /** Connections so far. */
  connections(): number;
  /** As the port of a dead process: it takes no connections, until it listens again. */
  deafen(): void;
  listen(): Promise<void>;
  close(): Promise<void>;
}

/** Opens a proxy to a loopback port. */
export async function openProxy(firstTarget: number): Promise<RedisProxy> {
  const port = await quietPort();
  const links = new Set<Link>();
  const faults = new Set<ActiveFault>();
  let count = 0;
  let target = firstTarget;
  let replyTo: (sent: string) => string | undefined = () => undefined;
  const server = createServer({ allowHalfOpen: true }, (near) => {
    count += 1;
    const link = new Link(near, target, { onKnown: find, replyTo: (sent) => replyTo(sent) });
    links.add(link);
    near.on('close', () => {
      links.delete(link);
      for (const { hit } of faults) hit.delete(link);
    });
    find(link);
  });

  /** Finds out what hits a link; when it is new, and once it is known what it is. */
  function find(link: Link): void {
    for (const { filter, hit } of faults) {
      if (isHit(link, filter, portsAt(filter))) hit.add(link);
      else hit.delete(link);
    }
    apply(link);
  }

  function apply(link: Link): void {
    link.heal();
    for (const { how, hit } of faults) if (hit.has(link)) link.suffer(how);
  }

  /** Asked for once per fault and not once per link: it takes milliseconds, in which nothing is passed on. */
  const portsAt = ({ pid }: LinkFilter) => (pid === undefined ? undefined : portsOf(pid, port));

  async function listen(): Promise<void> {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  }

  await listen();
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    break(how, filter = {}) {
      const ports = portsAt(filter);
      const hit = new Set([...links].filter((link) => isHit(link, filter, ports)));
      const fault = { filter, how, hit };
      if (!PASSING.includes(how)) faults.add(fault);
      for (const link of hit) link.suffer(how);
      return () => {
        if (faults.delete(fault)) for (const link of links) apply(link);
      };
    },
    heal() {
      faults.clear();
      for (const link of links) apply(link);
    },
    answer(replies) {
      replyTo = replies;
    },
    retarget(next) {
      target = next;
    },
    connections: () => count,
    deafen: () => void server.close(),
    listen,
    async close() {
      for (const link of links) link.destroy();
      if (!server.listening) return;
      server.close();
      await once(server, 'close');
    },
  };
}

function isHit({ kind, near }: Link, filter: LinkFilter, ports: ReadonlySet<number> | undefined): boolean {
  if (filter.kind !== undefined && filter.kind !== kind) return false;
  return ports === undefined || ports.has(near.remotePort ?? 0);
}
