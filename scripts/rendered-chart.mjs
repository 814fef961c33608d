import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const CHART = 'deploy/helm/tiktok-publisher';
export const MANIFESTS = 'deploy/kubernetes';
/** What `npm run manifests` made last, and of which chart. */
export const RENDERED_CHART = 'test/architecture/rendered-chart.json';

/** Older programs take an older Kubernetes for granted. */
export const HELM_ARGS = ['--namespace', 'tiktok-publisher', '--kube-version', '1.30.0'];

/** The manifests bring their own ConfigMap, and their Redis keeps the name that it had before there was a chart. */
export const MANIFEST_VALUES = ['replicas=null', 'existingSettings=publisher-settings', 'redis.name=redis'];

/** The manifests that `npm run manifests` makes of the chart, by the values that it takes beside its own. */
export const RENDERED = {
  'redis.yaml': [],
  'publisher.yaml': [],
  'network-policy.yaml': [],
  'autoscaling-hpa.yaml': ['autoscaling.kind=hpa'],
  'autoscaling-keda.yaml': ['autoscaling.kind=keda'],
  'ingress.yaml': ['ingress.enabled=true'],
  'pod-monitor.yaml': ['podMonitor.enabled=true'],
};

export function digests(repository) {
  const chart = readdirSync(join(repository, CHART), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(repository.length + 1));
  const manifests = Object.keys(RENDERED).map((file) => join(MANIFESTS, file));
  const digestOf = (files) => {
    const hash = createHash('sha256');
    for (const file of files.sort()) hash.update(`${file}\n`).update(readFileSync(join(repository, file)));
    return hash.digest('hex');
  };
  return { chart: digestOf(chart), manifests: digestOf(manifests) };
}
