import { connect } from 'node:net';

/** A request as it goes over the wire, whether or not it is one. */
export interface RawRequest {
  /** Request line and headers, without the empty line; Latin-1. */
  readonly head: string;
  readonly body: Buffer;
}

/** What came back, as far as it was read. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** Sends bytes as they are and reads the answer; of a stream of events the head alone. Status 0: the server hung up. */
export function sendRaw(url: string, { head, body }: RawRequest): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ port: Number(port), host: hostname, timeout: 20_000 });
    const pieces: Buffer[] = [];
    const finish = () => {
      socket.destroy();
      resolve(parseAnswer(Buffer.concat(pieces)));
    };
    socket.on('timeout', () => {
      socket.destroy();
      reject(new Error(`no answer to ${head.slice(0, 500)}`));
    });
    socket.on('data', (piece) => {
      pieces.push(piece);
      if (/^content-type: text\/event-stream/im.test(piece.toString('latin1'))) finish();
    });
    // A server that refuses a request before it has read all of it may reset the connection.
    socket.on('error', finish);
    socket.on('end', finish);
    socket.write(Buffer.concat([Buffer.from(`${head}\r\n\r\n`, 'latin1'), body]));
  });
}

function parseAnswer(bytes: Buffer): RawAnswer {
  const text = bytes.toString('utf8');
  const end = text.indexOf('\r\n\r\n');
  const [statusLine = '', ...lines] = text.slice(0, Math.max(end, 0)).split('\r\n');
  const headers = new Map(
    lines.map((line) => {
      const [name = '', ...value] = line.split(': ');
      return [name.toLowerCase(), value.join(': ')] as const;
    }),
  );
  return { status: Number(statusLine.split(' ')[1] ?? 0), headers, body: text.slice(end + 4) };
}
