import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { freePort } from '../../src/embedded-redis/redis-process.ts';
import { eventually } from './eventually.ts';
import { programOnPath } from './program-on-path.ts';

const queryAnswer = z.object({
  status: z.string(),
  error: z.string().optional(),
  data: z
    .object({
      result: z.array(z.object({ metric: z.record(z.string(), z.string()), value: z.tuple([z.number(), z.string()]) })),
    })
    .optional(),
});
const rulesAnswer = z.object({
  data: z.object({
    groups: z.array(
      z.object({
        rules: z.array(
          z.looseObject({ name: z.string(), health: z.string(), state: z.string(), lastError: z.string().optional() }),
        ),
      }),
    ),
  }),
});
const targetsAnswer = z.object({
  data: z.object({ activeTargets: z.array(z.looseObject({ health: z.string(), lastError: z.string() })) }),
});

/** One series of an answer. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Starts the Prometheus of this machine on our alerts, scraping these `host:port`s every second. */
export async function startPrometheus(targets: readonly string[]) {
  const folder = await mkdtemp(join(tmpdir(), 'prometheus-'));
  const port = await freePort();
  const alerts = fileURLToPath(new URL('../../deploy/prometheus/alerts.yml', import.meta.url));
  const config = `
global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: ['${alerts}']
scrape_configs:
  - job_name: tiktok-publisher
    static_configs: [{ targets: ${JSON.stringify(targets)} }]
`;
  await writeFile(join(folder, 'prometheus.yml'), config);
  const server = spawn(
    programOnPath('prometheus') ?? 'prometheus',
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: 'ignore' },
  );
  const exited = once(server, 'exit');
  const url = `http://127.0.0.1:${port}`;
  const get = async (path: string): Promise<unknown> => await (await fetch(`${url}${path}`)).json();
  await eventually(async () => (await fetch(`${url}/-/ready`)).ok);
  return {
    url,

    /** @throws Error with Prometheus' words when it can't answer */
    async query(expr: string): Promise<Sample[]> {
      const answer = queryAnswer.parse(await get(`/api/v1/query?${new URLSearchParams({ query: expr })}`));
      if (answer.data === undefined) throw new Error(`${expr}: ${answer.error}`);
      return answer.data.result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
    },

    rules: async () => rulesAnswer.parse(await get('/api/v1/rules')).data.groups.flatMap(({ rules }) => rules),
    targets: async () => targetsAnswer.parse(await get('/api/v1/targets')).data.activeTargets,

    async close(): Promise<void> {
      server.kill('SIGTERM');
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
