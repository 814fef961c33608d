import { afterEach, expect, it } from 'vitest';
import { freePort } from '../../../src/embedded-redis/redis-process.ts';
import { startNginx } from '../../support/nginx.ts';
import { programOnPath } from '../../support/program-on-path.ts';
import { endCommands, freshEnvironment, startCommand } from '../cli/command.ts';

const nginx = programOnPath('nginx');

afterEach(endCommands);

it.skipIf(nginx === undefined)(
  'behind an nginx that adds nothing, as before 1.29.7, a service without keys is open to nobody (skipped where nginx is not on the PATH)',
  async () => {
    const [port, nginxPort] = [await freePort(), await freePort()];
    const origin = await startNginx(
      nginx ?? '',
      nginxPort,
      `location / { proxy_pass http://127.0.0.1:${port}; proxy_http_version 1.0; }`,
    );
    await startCommand(['start', '--json'], freshEnvironment({ PORT: String(port) })).document();
    for (const path of ['/v1/publishes', '/board', '/board/api/queues', '/publishes/1', '/connect/tiktok']) {
      expect([path, (await fetch(`${origin}${path}`)).status]).toEqual([path, 403]);
    }
    expect((await fetch(`${origin}/healthz`)).status).toBe(200);
    expect((await fetch(`http://127.0.0.1:${port}/v1/publishes`)).status).toBe(200);
  },
);
