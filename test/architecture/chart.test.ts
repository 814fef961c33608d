import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { CHART, digests, MANIFESTS, RENDERED, RENDERED_CHART } from '../../scripts/rendered-chart.mjs';
import { REPOSITORY, readRepositoryFile } from './source-files.ts';

const values = z.record(z.string(), z.unknown()).parse(parse(readRepositoryFile(`${CHART}/values.yaml`)));

const schema: z.ZodType<Schema> = z.looseObject({
  additionalProperties: z.unknown().optional(),
  properties: z
    .record(
      z.string(),
      z.lazy(() => schema),
    )
    .optional(),
});
interface Schema {
  readonly additionalProperties?: unknown;
  readonly properties?: Readonly<Record<string, Schema>> | undefined;
}

/** Every path of the values whose name the schema does not know. */
function unknownTo({ properties, additionalProperties }: Schema, value: unknown, path = ''): string[] {
  if (properties === undefined || typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inside]) => {
    const known = properties[name];
    if (known === undefined) return additionalProperties === false ? [`${path}${name}`] : [];
    return unknownTo(known, inside, `${path}${name}.`);
  });
}

describe('the Helm chart', () => {
  it('is what the manifests were made of', () => {
    const rendered = JSON.parse(readRepositoryFile(RENDERED_CHART));
    expect(digests(REPOSITORY.replace(/\/$/, '')), 'run `npm run manifests`').toEqual(rendered);
    for (const file of Object.keys(RENDERED))
      expect(readRepositoryFile(`${MANIFESTS}/${file}`)).toMatch(/^# Made of deploy\/helm/);
  });

  it('has the version of the package', () => {
    const { version } = JSON.parse(readRepositoryFile('package.json'));
    expect(parse(readRepositoryFile(`${CHART}/Chart.yaml`))).toMatchObject({ version, appVersion: version });
  });

  it('sets what the manifests set', () => {
    const { REDIS_URL: _own, ...settings } = parse(readRepositoryFile(`${MANIFESTS}/settings.yaml`)).data;
    expect(values.settings).toEqual(settings);
  });

  it('knows each of its values, and no other', () => {
    const known = schema.parse(JSON.parse(readRepositoryFile(`${CHART}/values.schema.json`)));
    expect(known.additionalProperties).toBe(false);
    expect(unknownTo(known, values)).toEqual([]);
    const unset = Object.keys(known.properties ?? {}).filter((name) => !(name in values));
    // Helm gives it to every chart.
    expect(unset).toEqual(['global']);
  });
});
