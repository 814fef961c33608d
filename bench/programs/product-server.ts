import { openApp } from '../../src/app/open-app.ts';
import { openServer } from '../../src/app/open-server.ts';
import { openMeasuredService } from '../../src/app/open-service.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { cpuMs, serveParent, settingsOf } from './parent.ts';

/* The product's web server, without workers. */

const { environment } = settingsOf<{ environment: Record<string, string> }>();

serveParent({
  cpuMs,
  /** Starts it. @returns its URL */
  async serve() {
    const service = await openMeasuredService(await openApp(loadConfig({ PATH: process.env.PATH, ...environment })));
    return (await openServer(service)).url;
  },
});
