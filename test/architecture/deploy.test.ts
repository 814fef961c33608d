import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Command } from 'commander';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { buildProgram } from '../../src/cli/program.ts';
import { SETTING_DESCRIPTIONS } from '../../src/config/settings-table.ts';
import { QUEUE_NAMES } from '../../src/ledger/queues/queue-names.ts';
import { METRIC_TABLE } from '../../src/observability/metrics.ts';
import { REPOSITORY, readRepositoryFile } from './source-files.ts';

const run = promisify(execFile);

const settings = new Set<string>(SETTING_DESCRIPTIONS.map(({ variable }) => variable));
const fallbackOf = (variable: string) =>
  SETTING_DESCRIPTIONS.find((setting) => setting.variable === variable)?.fallback;
const commands = buildProgram(new Command(), async () => undefined).commands.map((command) => command.name());
/** Templates of the chart become YAML only when Helm has rendered them. */
const yamlFiles = ['docker-compose.yml', ...filesBelow('deploy')].filter(
  (path) => /\.ya?ml$/.test(path) && !path.includes('/templates/'),
);

function filesBelow(folder: string): string[] {
  return readdirSync(join(REPOSITORY, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(REPOSITORY.length));
}

/** Memory that Redis takes at most, of its command. */
function maxMemoryMb(text: string): number {
  return Number(/--maxmemory, (\d+)mb/.exec(text)?.[1]);
}

/** Seconds of `30s` or `1m`. */
function seconds(text: string): number {
  const [, count = '', unit = ''] = /^(\d+)(s|m)$/.exec(text) ?? [];
  if (count === '') throw new Error(`expected seconds or minutes, got ${text}`);
  return Number(count) * (unit === 'm' ? 60 : 1);
}

/** What the program takes at most to stop: the drain, and three seconds in which it closes what is open. */
const stopSeconds = Number(fallbackOf('SHUTDOWN_TIMEOUT_MS')) / 1_000 + 3;

const named = z.looseObject({ kind: z.string(), metadata: z.looseObject({ name: z.string() }) });
type Resource = z.infer<typeof named>;

/** Every Kubernetes resource that we ship. */
const resources: Resource[] = filesBelow('deploy/kubernetes')
  .flatMap((path) => parseAllDocuments(readRepositoryFile(path)).map((document) => document.toJS() as unknown))
  .filter((resource) => z.looseObject({ kind: z.literal('Kustomization') }).safeParse(resource).success === false)
  .map((resource) => named.parse(resource));

function find(kind: string, name: string): Resource {
  const found = resources.find((resource) => resource.kind === kind && resource.metadata.name === name);
  if (found === undefined) throw new Error(`there is no ${kind} ${name}`);
  return found;
}

const httpGet = z.object({ httpGet: z.object({ path: z.string(), port: z.string() }) });
const container = z.looseObject({
  args: z.array(z.string()),
  ports: z.array(z.object({ name: z.string(), containerPort: z.number() })),
  envFrom: z.array(z.record(z.string(), z.object({ name: z.string() }))),
  lifecycle: z.object({
    preStop: z.object({ exec: z.object({ command: z.tuple([z.literal('sleep'), z.string()]) }) }),
  }),
  startupProbe: httpGet,
  livenessProbe: httpGet,
  readinessProbe: httpGet,
});
const deployment = z
  .looseObject({
    spec: z.looseObject({
      selector: z.object({ matchLabels: z.record(z.string(), z.string()) }),
      template: z.looseObject({
        metadata: z.looseObject({
          labels: z.record(z.string(), z.string()),
          annotations: z.record(z.string(), z.string()),
        }),
        spec: z.looseObject({ terminationGracePeriodSeconds: z.number(), containers: z.tuple([container]) }),
      }),
    }),
  })
  .parse(find('Deployment', 'publisher'));
const pod = deployment.spec.template.spec;
const [publisher] = pod.containers;
const settingsOfPods = z
  .looseObject({ data: z.record(z.string(), z.string()) })
  .parse(find('ConfigMap', 'publisher-settings')).data;

/** Every kind of pod. */
const workloads = resources
  .filter(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet')
  .map((resource) =>
    z
      .looseObject({
        metadata: z.looseObject({ name: z.string() }),
        spec: z.looseObject({
          template: z.looseObject({
            metadata: z.looseObject({ labels: z.record(z.string(), z.string()) }),
            spec: z.looseObject({
              containers: z
                .array(z.looseObject({ ports: z.array(z.looseObject({ containerPort: z.number() })) }))
                .min(1),
            }),
          }),
        }),
      })
      .parse(resource),
  );

const networkPolicy = z.looseObject({
  spec: z.object({
    podSelector: z.object({ matchLabels: z.record(z.string(), z.string()) }),
    policyTypes: z.array(z.string()),
    ingress: z.array(z.looseObject({ ports: z.array(z.object({ port: z.number() })) })),
    egress: z.array(
      z.looseObject({
        to: z.array(
          z.looseObject({ ipBlock: z.object({ cidr: z.string(), except: z.array(z.string()).optional() }).optional() }),
        ),
      }),
    ),
  }),
});

function isSelected(labels: Readonly<Record<string, string>>, selector: Readonly<Record<string, string>>): boolean {
  return Object.entries(selector).every(([name, value]) => labels[name] === value);
}

/** Paths that the web server answers without anything else. */
const PATHS = ['/healthz', '/readyz', '/metrics'] as const;

describe('a file for operators', () => {
  it.each(yamlFiles)('%s is YAML without mistakes', (path) => {
    const documents = parseAllDocuments(readRepositoryFile(path), { merge: true });
    expect(documents.length).toBeGreaterThan(0);
    for (const document of documents) expect([...document.errors, ...document.warnings]).toEqual([]);
  });

  it.each([...filesBelow('deploy/kubernetes'), ...filesBelow('docs')])('%s names metrics that exist', (path) => {
    const ours = new Set(Object.keys(METRIC_TABLE));
    const used = [...readRepositoryFile(path).matchAll(/\b(?:tiktok_[a-z_]+|bullmq_[a-z_]+)\b(?=[{[)\s])/g)].map(
      ([name]) => name,
    );
    // The autoscaler's own name of a metric that its adapter makes.
    const unknown = used.filter(
      (name) => name !== 'tiktok_publish_backlog' && !ours.has(name.replace(/_(bucket|sum|count)$/, '')),
    );
    expect(unknown).toEqual([]);
  });
});

describe('what starts the service', () => {
  // npx and npm end at SIGTERM and leave the process behind them running.
  it.each([
    'Dockerfile',
    'docker-compose.yml',
    'deploy/systemd/tiktok-publisher.service',
    'deploy/kubernetes/publisher.yaml',
  ])('gets the signals itself: %s', (file) => {
    const text = readRepositoryFile(file);
    const started = text.match(/^(ExecStart=|ENTRYPOINT|CMD| *(command|args|entrypoint):).*$/gm) ?? [];
    expect(started.length).toBeGreaterThan(0);
    expect(started.filter((line) => /\b(npx|npm)\b/.test(line))).toEqual([]);
  });
});

describe('the Kubernetes manifests', () => {
  it('set only what exists, and name the rest in the secret', () => {
    const secret = /publisher-secrets` holds the rest:\n#\s+(.*)/.exec(
      readRepositoryFile('deploy/kubernetes/settings.yaml'),
    )?.[1];
    const variables = [...Object.keys(settingsOfPods), ...(secret ?? '').split(', ')];
    expect(variables.length).toBeGreaterThan(10);
    expect(variables.filter((variable) => !settings.has(variable))).toEqual([]);
    const secrets: string[] = SETTING_DESCRIPTIONS.filter(({ secret: isSecret }) => isSecret).map(
      ({ variable }) => variable,
    );
    expect(
      Object.keys(settingsOfPods).filter((variable) => secrets.includes(variable) && variable !== 'REDIS_URL'),
    ).toEqual([]);
    const sources = publisher.envFrom.flatMap((source) => Object.values(source).map(({ name }) => name));
    expect(sources).toEqual(['publisher-settings', 'publisher-secrets']);
  });

  it('carry every setting, each in one place', () => {
    const text = readRepositoryFile('deploy/kubernetes/settings.yaml');
    const inMap = [...text.matchAll(/^ {2}(?:# )?([A-Z0-9_]+): /gm)].map(([, variable = '']) => variable);
    const inSecret = (/holds the rest:\n#\s+(.*)/.exec(text)?.[1] ?? '').split(', ');
    expect([...inMap, ...inSecret].sort()).toEqual([...settings].sort());
  });

  it.each(workloads)('let the pods of $metadata.name do nothing that they need not', ({ spec: { template } }) => {
    expect(template.spec).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    });
    for (const each of template.spec.containers)
      expect(each).toMatchObject({
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
        resources: { limits: { memory: expect.any(String) } },
      });
  });

  it.each(workloads)('say whom the pods of $metadata.name reach, and who reaches them', ({ spec: { template } }) => {
    const policies = resources
      .filter(({ kind }) => kind === 'NetworkPolicy')
      .map((resource) => networkPolicy.parse(resource).spec)
      .filter(({ podSelector }) => isSelected(template.metadata.labels, podSelector.matchLabels));
    expect(policies.map(({ policyTypes }) => policyTypes)).toEqual([['Ingress', 'Egress']]);
    for (const { ingress, egress } of policies) {
      expect(ingress.flatMap(({ ports }) => ports).map(({ port }) => port)).toEqual([
        template.spec.containers[0]?.ports[0]?.containerPort,
      ]);
      const blocks = egress.flatMap(({ to }) => to.flatMap(({ ipBlock }) => ipBlock ?? []));
      const open = blocks.filter(({ cidr }) => cidr.endsWith('/0'));
      for (const { cidr, except = [] } of open)
        expect(except).toEqual(
          expect.arrayContaining(cidr === '::/0' ? ['fc00::/7'] : ['10.0.0.0/8', '169.254.0.0/16', '192.168.0.0/16']),
        );
    }
  });

  it('have Redis ask for the password that the pods get', () => {
    expect(find('StatefulSet', 'redis')).toMatchObject({
      spec: {
        template: {
          spec: {
            containers: [
              {
                env: [
                  {
                    name: 'REDISCLI_AUTH',
                    valueFrom: { secretKeyRef: { name: 'publisher-secrets', key: 'REDIS_PASSWORD' } },
                  },
                ],
              },
            ],
          },
        },
      },
    });
    expect(settings.has('REDIS_PASSWORD')).toBe(true);
    expect(readRepositoryFile('docs/deployment.md')).toContain('--from-literal=REDIS_PASSWORD=');
  });

  it('keep Redis below the memory at which it is killed, with room for its forks', () => {
    const redis = readRepositoryFile('deploy/kubernetes/redis.yaml');
    expect(maxMemoryMb(redis)).toBeLessThan(0.75 * 1_073);
    expect(redis).toMatch(/limits:\n\s+memory: 1Gi/);
  });

  it('show the outside only what is served, and to Prometheus the port of the pods', () => {
    const paths = [...readRepositoryFile('deploy/kubernetes/ingress.yaml').matchAll(/path: (\S+)/g)].map(
      ([, path]) => path,
    );
    expect(paths).toEqual(['/v1', '/connect', '/webhooks', '/pull']);
    const monitor = z.looseObject({
      spec: z.looseObject({
        selector: z.object({ matchLabels: z.record(z.string(), z.string()) }),
        podMetricsEndpoints: z.tuple([z.looseObject({ port: z.string(), path: z.enum(PATHS) })]),
      }),
    });
    const { selector, podMetricsEndpoints } = monitor.parse(find('PodMonitor', 'publisher')).spec;
    expect(selector.matchLabels).toEqual(deployment.spec.selector.matchLabels);
    expect(podMetricsEndpoints[0].port).toBe(publisher.ports[0]?.name);
  });

  it('let producers pass to Redis by a label', () => {
    expect(readRepositoryFile('deploy/kubernetes/network-policy.yaml')).toContain("tiktok-publisher/producer: 'true'");
    expect(readRepositoryFile('docs/deployment.md')).toContain('`tiktok-publisher/producer`');
  });

  it('probe and scrape paths that are served, on the port that is listened on', () => {
    expect(commands).toContain(publisher.args[0]);
    const [port] = publisher.ports;
    expect(String(port?.containerPort)).toBe(settingsOfPods.PORT);
    for (const { httpGet: probe } of [publisher.startupProbe, publisher.livenessProbe, publisher.readinessProbe]) {
      expect(PATHS).toContain(probe.path);
      expect(probe.port).toBe(port?.name);
    }
    // A pod that waits for Redis must not be restarted for it.
    expect(publisher.livenessProbe.httpGet.path).toBe('/healthz');
    const { annotations } = deployment.spec.template.metadata;
    expect(annotations['prometheus.io/path']).toBe('/metrics');
    expect(annotations['prometheus.io/port']).toBe(settingsOfPods.PORT);
  });

  it('leave time to drain', () => {
    const preStopSeconds = Number(publisher.lifecycle.preStop.exec.command[1]);
    const drainSeconds = Number(settingsOfPods.SHUTDOWN_TIMEOUT_MS) / 1_000 + 3;
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(preStopSeconds + drainSeconds);
  });

  it('select what they are about', () => {
    expect(deployment.spec.template.metadata.labels).toMatchObject(deployment.spec.selector.matchLabels);
    const labels = Object.entries(deployment.spec.selector.matchLabels);
    const service = z.looseObject({ spec: z.looseObject({ selector: z.record(z.string(), z.string()) }) });
    expect(Object.entries(service.parse(find('Service', 'publisher')).spec.selector)).toEqual(labels);
    const { hostname } = new URL(settingsOfPods.REDIS_URL ?? '');
    expect(find('Service', hostname).kind).toBe('Service');
  });

  it('scale what is there, by the queue that is worked on, to as many jobs as a pod takes', () => {
    const target = z.looseObject({ spec: z.looseObject({ scaleTargetRef: z.looseObject({ name: z.string() }) }) });
    for (const kind of ['ScaledObject', 'HorizontalPodAutoscaler'])
      expect(target.parse(find(kind, 'publisher')).spec.scaleTargetRef.name).toBe('publisher');
    const jobsPerPod = settingsOfPods.UPLOAD_CONCURRENCY;
    const keda = z
      .looseObject({
        spec: z.looseObject({ triggers: z.array(z.looseObject({ metadata: z.record(z.string(), z.string()) })) }),
      })
      .parse(find('ScaledObject', 'publisher'))
      .spec.triggers.map(({ metadata }) => metadata);
    const oldest = keda[1]?.threshold;
    expect(keda).toMatchObject([
      { query: expect.stringContaining(`queue="${QUEUE_NAMES.publish}"`), threshold: jobsPerPod },
      { query: 'max(tiktok_oldest_waiting_seconds)', threshold: oldest },
    ]);
    expect(find('HorizontalPodAutoscaler', 'publisher')).toMatchObject({
      spec: {
        metrics: [
          { external: { metric: { name: 'tiktok_publish_backlog' }, target: { averageValue: jobsPerPod } } },
          { external: { metric: { name: 'tiktok_oldest_waiting_seconds' }, target: { value: oldest } } },
        ],
      },
    });
    for (const name of ['tiktok_publish_backlog', 'tiktok_oldest_waiting_seconds'])
      expect(readRepositoryFile('docs/deployment.md')).toContain(`name: { as: ${name} }`);
  });

  it('are built by kustomize into every resource once', async ({ skip }) => {
    const built = await run('kubectl', ['kustomize', join(REPOSITORY, 'deploy/kubernetes')]).catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (built === undefined) return skip('kubectl is not on the PATH');
    const kinds = parseAllDocuments(built.stdout).map((document) => named.parse(document.toJS()).kind);
    expect(kinds.sort()).toEqual(
      resources
        .map(({ kind }) => kind)
        .filter((kind) => !/Scaled|Autoscaler|^Ingress$|PodMonitor/.test(kind))
        .sort(),
    );
  });
});

describe('docker-compose.yml', () => {
  const service = z.looseObject({
    image: z.string(),
    command: z.array(z.string()).optional(),
    env_file: z.array(z.object({ path: z.string(), required: z.boolean() })).optional(),
    environment: z.record(z.string(), z.string()).optional(),
    profiles: z.array(z.string()).optional(),
    mem_limit: z.string().optional(),
    stop_grace_period: z.string().optional(),
    depends_on: z.record(z.string(), z.looseObject({ condition: z.string() })).optional(),
    volumes: z.array(z.string()).optional(),
    ports: z.array(z.string()).optional(),
    read_only: z.boolean().optional(),
    tmpfs: z.array(z.string()).optional(),
    cap_drop: z.array(z.string()).optional(),
    security_opt: z.array(z.string()).optional(),
    privileged: z.undefined().optional(),
    cap_add: z.undefined().optional(),
    pids_limit: z.number().optional(),
    ulimits: z.record(z.string(), z.number()).optional(),
  });
  const compose = z
    .object({
      name: z.string(),
      services: z.record(z.string(), service),
      volumes: z.record(z.string(), z.unknown()),
      'x-publisher': z.unknown(),
    })
    .parse(parse(readRepositoryFile('docker-compose.yml'), { merge: true }));
  const services = Object.entries(compose.services);
  const ours = services.filter(([, { image }]) => image === 'tiktok-publisher');

  it('sets only what exists, asks for the secrets, and runs commands that exist', () => {
    expect(ours.length).toBeGreaterThan(1);
    for (const [, { environment = {}, command = [] }] of ours) {
      expect(Object.keys(environment).filter((variable) => !settings.has(variable))).toEqual([]);
      expect(commands).toContain(command[0]);
      for (const variable of ['ENCRYPTION_KEYS', 'TIKTOK_CLIENT_SECRET', 'API_KEYS', 'BOARD_PASSWORD'])
        expect(environment[variable]).toMatch(/^\$\{\w+:\?/);
    }
  });

  it('hands every setting of `.env` to the containers, but for those that belong to the container', () => {
    const own = ['DATA_DIR', 'HOST', 'MEDIA_ROOTS', 'METRICS_HOST', 'METRICS_PORT', 'PORT'];
    for (const [, { env_file: files, environment = {} }] of ours) {
      expect(files).toEqual([{ path: '.env', required: false }]);
      const fixed = Object.entries(environment).filter(([variable, value]) => !value.startsWith(`\${${variable}`));
      expect(fixed.map(([variable]) => variable).filter((variable) => !own.includes(variable))).toEqual([]);
    }
  });

  it.each(services)('gives %s nothing that it does not need', (_, confined) => {
    expect(confined).toMatchObject({
      read_only: true,
      tmpfs: ['/tmp:noexec,nosuid,nodev,size=64m'],
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
      pids_limit: expect.any(Number),
      mem_limit: expect.stringMatching(/^\d+[mg]$/),
      ulimits: { core: 0 },
    });
  });

  it('has Redis ask for a password', () => {
    expect(compose.services.redis?.environment?.REDISCLI_AUTH).toMatch(/^\$\{REDIS_PASSWORD\?/);
    for (const [, { environment = {} }] of ours) expect(environment.REDIS_PASSWORD).toMatch(/^\$\{REDIS_PASSWORD\?/);
  });

  it('says in its first lines what it leaves out', () => {
    const [comment = ''] = readRepositoryFile('docker-compose.yml').split('\nname:');
    expect(comment).toContain('# Left out: TLS');
  });

  it('keeps Redis below the memory at which it is killed, with room for its forks', () => {
    expect(compose.services.redis?.mem_limit).toBe('1g');
    expect(maxMemoryMb(readRepositoryFile('docker-compose.yml'))).toBeLessThan(0.75 * 1_073);
  });

  it('starts Grafana and Alertmanager only when asked to, with the dashboard and the alerts', () => {
    for (const name of ['grafana', 'alertmanager']) expect(compose.services[name]?.profiles).toEqual(['monitoring']);
    expect(readRepositoryFile('deploy/prometheus.yml')).toContain('alertmanager:9093');
    const provider = readRepositoryFile('deploy/grafana/provisioning/dashboards/tiktok-publisher.yml');
    expect(compose.services.grafana?.volumes?.join()).toContain(
      `:${/path: (.*)/.exec(provider)?.[1]}/tiktok-publisher.json`,
    );
  });

  it('leaves time to drain', () => {
    for (const [, { stop_grace_period: grace = '0s' }] of ours) expect(seconds(grace)).toBeGreaterThan(stopSeconds);
  });

  it('waits for services that are there, mounts what is there, and shows its ports to this machine only', () => {
    for (const [, { depends_on: awaited = {}, volumes = [], ports = [] }] of services) {
      for (const name of Object.keys(awaited)) expect(Object.keys(compose.services)).toContain(name);
      for (const volume of volumes) {
        const [source = ''] = volume.split(':');
        const isThere = source.startsWith('./')
          ? source === './media' ||
            yamlFiles.concat(filesBelow('deploy')).some((path) => `./${path}`.startsWith(source))
          : source in compose.volumes;
        expect({ source, isThere }).toEqual({ source, isThere: true });
      }
      expect(ports.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
    }
  });
});

describe('the systemd unit', () => {
  const path = 'deploy/systemd/tiktok-publisher.service';
  const unit = readRepositoryFile(path);
  const optionOf = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(unit)?.[1] ?? '';

  it('starts what the build makes, and leaves it time to drain', () => {
    const [, , command = ''] = optionOf('ExecStart').split(' ');
    expect(optionOf('ExecStart')).toContain('/dist/bin/tiktok-publisher.js');
    expect(commands).toContain(command);
    expect(seconds(optionOf('TimeoutStopSec'))).toBeGreaterThan(stopSeconds);
    const variables = [...unit.matchAll(/^Environment=(\w+)=/gm)].map(([, variable = '']) => variable);
    expect(variables.filter((variable) => variable !== 'NODE_ENV' && !settings.has(variable))).toEqual([]);
  });

  it('lets no secret reach a core dump', () => {
    expect(optionOf('LimitCORE')).toBe('0');
  });

  it('is shut off from the machine, as systemd-analyze judges it', async ({ skip }) => {
    const judged = await run('systemd-analyze', [
      'security',
      '--offline=true',
      '--no-pager',
      join(REPOSITORY, path),
    ]).catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (judged === undefined) return skip('systemd-analyze is not on the PATH');
    const exposure = /exposure level for .*: ([\d.]+)/.exec(judged.stdout)?.[1];
    expect(Number(exposure)).toBeLessThan(1.5);
  });

  it('satisfies systemd-analyze', async ({ skip }) => {
    const folder = await mkdtemp(join(tmpdir(), 'systemd-unit-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const file = join(folder, 'tiktok-publisher.service');
    // Node is elsewhere on some machines, and the user is not there.
    await writeFile(file, unit.replace('/usr/bin/node', process.execPath).replace(/^(User|Group)=.*$/gm, '$1=root'));
    const verified = await run('systemd-analyze', ['verify', '--man=no', file]).catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (verified === undefined) return skip('systemd-analyze is not on the PATH');
    expect(`${verified.stdout}${verified.stderr}`).toBe('');
  });
});

describe('the Dockerfile', () => {
  const dockerfile = readRepositoryFile('Dockerfile');
  const last = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));

  it('ends in an image with the bundle and no packages beside it, an init, another user than root, and a health check', () => {
    expect(dockerfile).toMatch(/AS build\n[\s\S]*RUN npm run build\n/);
    expect(last).not.toContain('node_modules');
    expect(last).not.toContain('npm ');
    expect(last).toMatch(/^USER node$/m);
    expect(last.match(/^USER /gm)).toHaveLength(1);
    expect(last).toMatch(/^HEALTHCHECK /m);
    expect(last).toContain('/healthz');
    expect(last).toContain('ENTRYPOINT ["tini", "--", "node", "dist/bin/tiktok-publisher.js"]');
    expect(commands).toContain(/^CMD \["(\w+)"\]$/m.exec(last)?.[1]);
  });

  it('copies only what the build context has', () => {
    const context = readRepositoryFile('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.*) \S+$/gm)].flatMap(([, sources = '']) =>
      sources.split(' '),
    );
    expect(copied.length).toBeGreaterThan(5);
    expect(copied.filter((source) => !context.includes(source))).toEqual([]);
  });
});
