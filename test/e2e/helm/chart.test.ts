import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { CHART, HELM_ARGS, MANIFEST_VALUES, MANIFESTS, RENDERED } from '../../../scripts/rendered-chart.mjs';
import { pathInRepository } from '../../support/build.ts';
import { programOnPath } from '../../support/program-on-path.ts';

const helm = programOnPath('helm');

async function run(...args: readonly string[]): Promise<string> {
  return (await promisify(execFile)(helm ?? '', args)).stdout;
}

async function render(values: readonly string[], release = 'publisher') {
  const set = values.flatMap((value) => ['--set', value]);
  return resourcesIn(await run('template', release, pathInRepository(CHART), ...HELM_ARGS, ...set));
}

function resourcesIn(text: string) {
  return parseAllDocuments(text)
    .map((document) => document.toJS())
    .filter((resource) => resource !== null);
}

const namesOf = (resources: readonly { kind: string; metadata: { name: string } }[]) =>
  resources.map(({ kind, metadata }) => `${kind} ${metadata.name}`).sort();

describe.skipIf(helm === undefined)('the Helm chart', () => {
  it('satisfies helm lint', async () => {
    expect(await run('lint', '--strict', pathInRepository(CHART))).toContain('0 chart(s) failed');
  });

  it.each(Object.entries(RENDERED))('renders the manifest %s', async (file, values) => {
    const made = resourcesIn(await readFile(pathInRepository(`${MANIFESTS}/${file}`), 'utf8'));
    expect(await render([...MANIFEST_VALUES, ...values])).toEqual(expect.arrayContaining(made));
  });

  it('lets a namespace hold two releases, which share nothing', async () => {
    const one = await render([], 'one');
    const other = namesOf(await render([], 'other'));
    expect(one.length).toBeGreaterThan(5);
    expect(namesOf(one).filter((name) => other.includes(name))).toEqual([]);
    const selectors = one.flatMap(({ spec }) => spec?.selector?.matchLabels ?? spec?.podSelector?.matchLabels ?? []);
    for (const selector of selectors) expect(selector).toMatchObject({ 'app.kubernetes.io/instance': 'one' });
  });

  it('gives pods the time to drain that their setting asks for', async () => {
    const resources = await render(['preStopSeconds=10'], 'publisher');
    const { spec } = resources.find(({ kind }) => kind === 'Deployment');
    expect(spec.template.spec.terminationGracePeriodSeconds).toBe(50);
  });

  it('mounts the volume of videos that it is given in place of an empty one', async () => {
    const resources = await render(['mediaVolume.nfs.server=nas', 'mediaVolume.nfs.path=/videos']);
    const { volumes } = resources.find(({ kind }) => kind === 'Deployment').spec.template.spec;
    expect(volumes).toContainEqual({ name: 'media', nfs: { server: 'nas', path: '/videos' } });
  });

  it('leaves Redis out for one elsewhere, and asks where that is', async () => {
    await expect(render(['redis.enabled=false'])).rejects.toThrow('settings.REDIS_URL is missing');
    const resources = await render(['redis.enabled=false', 'settings.REDIS_URL=rediss://redis.example.com']);
    expect(namesOf(resources).filter((name) => name.includes('redis'))).toEqual([]);
    expect(JSON.stringify(resources)).not.toContain('"port":6379');
    expect(resources.find(({ kind }) => kind === 'ConfigMap').data.REDIS_URL).toBe('rediss://redis.example.com');
  });

  it.each([
    ['a name that it does not know', 'redis.enbaled=false', /enbaled/],
    ['a number, which Helm may round', 'settings.UPLOAD_CONCURRENCY=8', /UPLOAD_CONCURRENCY/],
    ['an autoscaler that it does not know', 'autoscaling.kind=kada', /autoscaling.kind/],
  ])('refuses %s', async (_, value, message) => {
    await expect(render([value])).rejects.toThrow(message);
  });
});
