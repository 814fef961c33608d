import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { pathInRepository } from '../../support/build.ts';

const run = promisify(execFile);

const PROGRAM = `
  const [, module, url] = process.argv;
  const { connectRedis } = await import(module);
  await connectRedis({ kind: 'url', url }, 'ledger').catch(({ why }) => console.log(why));
`;

it('a process that has nothing else to do is told why a server closes its connections', async () => {
  let connections = 0;
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    connections += 1;
    if (connections === 1) socket.resetAndDestroy();
    else socket.end();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  const url = `redis://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const module = pathInRepository('.compiled/redis/connections.js');
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', PROGRAM, module, url]);
  expect(stdout).toBe('connection_lost\n');
});
