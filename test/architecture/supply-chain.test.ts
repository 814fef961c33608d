import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { packageOf, REPOSITORY, readRepositoryFile, sourceFiles } from './source-files.ts';

const manifest = z
  .object({
    allowScripts: z.record(z.string(), z.boolean()),
    devDependencies: z.record(z.string(), z.string()),
    dependencies: z.undefined().optional(),
    optionalDependencies: z.undefined().optional(),
    peerDependencies: z.undefined().optional(),
  })
  .parse(JSON.parse(readRepositoryFile('package.json')));

const { '': _own, ...locked } = z
  .object({
    packages: z.record(
      z.string(),
      z.object({
        license: z.string().optional(),
        integrity: z.string().optional(),
        resolved: z.string().optional(),
        hasInstallScript: z.boolean().default(false),
        dependencies: z.record(z.string(), z.string()).optional(),
      }),
    ),
  })
  .parse(JSON.parse(readRepositoryFile('package-lock.json'))).packages;

/** Packages that others load by name, so that no import of ours shows them. */
const LOADED_BY_NAME = ['@bull-board/ui'];

/** MPL-2.0 binds only who changes the package's own files, which we don't; Unlicense gives everything away. */
const ALLOWED_LICENCES = [
  'MIT',
  'ISC',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'BlueOak-1.0.0',
  'MPL-2.0',
  'Unlicense',
];

/** Of what only builds and tests, and is not shipped. */
const ALLOWED_LICENCES_OF_TOOLS = [...ALLOWED_LICENCES, 'Python-2.0'];

/** Packages with a script that npm would run at their installation, and why we do without it. */
const INSTALL_SCRIPTS: Readonly<Record<string, string>> = {
  'msgpackr-extract': 'builds a faster decoder; BullMQ works without it, and the bundle leaves it out',
};

const imported = new Set(
  sourceFiles('src').flatMap(({ imports }) => imports.flatMap(({ specifier }) => packageOf(specifier) ?? [])),
);

/** All packages that may come into the bundle, by their places in the lock file. */
function bundledPackages(): string[] {
  const found = new Set<string>();
  const add = (name: string, from: string): void => {
    // Node looks beside the package, then in each folder above.
    const place = [`${from}/node_modules/${name}`, `node_modules/${name}`].find((path) => path in locked);
    if (place === undefined || found.has(place)) return;
    found.add(place);
    for (const needed of Object.keys(locked[place]?.dependencies ?? {})) add(needed, place);
  };
  for (const name of [...imported, ...LOADED_BY_NAME]) add(name, '');
  return [...found];
}

/** Those whose SPDX expression (one licence, or several to choose from) has none that is allowed. */
function withOtherLicences(places: readonly string[], allowed: readonly string[]): string[] {
  const isAllowed = (expression = '') =>
    expression
      .replace(/[()]/g, '')
      .split(' OR ')
      .some((licence) => allowed.includes(licence));
  return places
    .filter((place) => !isAllowed(locked[place]?.license))
    .map((place) => `${place}: ${locked[place]?.license}`);
}

describe('a dependency', () => {
  it('is inside the bundle, so that an install brings just what was tested', () => {
    const { dependencies, optionalDependencies, peerDependencies } = manifest;
    expect({ dependencies, optionalDependencies, peerDependencies }).toEqual({});
  });

  it('is declared by us if we import it', () => {
    expect([...imported].filter((name) => !(name in manifest.devDependencies))).toEqual([]);
  });

  it('has a licence that lets anybody use it, as have those that it needs itself', () => {
    const bundled = bundledPackages();
    expect(bundled.length).toBeGreaterThan(imported.size);
    expect(withOtherLicences(bundled, ALLOWED_LICENCES)).toEqual([]);
  });

  it('has a licence that lets us build and test with it', () => {
    expect(withOtherLicences(Object.keys(locked), ALLOWED_LICENCES_OF_TOOLS)).toEqual([]);
  });

  it('comes from the registry, and is what it was when it was locked', () => {
    expect(Object.keys(locked).length).toBeGreaterThan(100);
    const odd = Object.entries(locked).filter(
      ([, { integrity = '', resolved = 'https://registry.npmjs.org/' }]) =>
        !/^sha512-[\w+/]{86}==$/.test(integrity) || !resolved.startsWith('https://registry.npmjs.org/'),
    );
    expect(odd.map(([place]) => place)).toEqual([]);
  });

  it('runs nothing at its installation', () => {
    const names = Object.entries(locked)
      .filter(([, { hasInstallScript }]) => hasInstallScript)
      .map(([place]) => place.replace(/^.*node_modules\//, ''));
    expect(names.sort()).toEqual(Object.keys(INSTALL_SCRIPTS));
    expect(manifest.allowScripts).toEqual(Object.fromEntries(names.map((name) => [name, false])));
    for (const file of ['Dockerfile', 'scripts/setup.mjs'])
      expect(readRepositoryFile(file), file).toMatch(/\bci\b.*--ignore-scripts/);
  });
});

describe('what others made', () => {
  const workflows = readdirSync(join(REPOSITORY, '.github/workflows')).map((name) => join('.github/workflows', name));

  it.each(workflows)('is named by digest in %s, and by its version for people', (path) => {
    const used = [...readRepositoryFile(path).matchAll(/\buses: (.*)$/gm)].map(([, action = '']) => action);
    expect(used.length).toBeGreaterThan(0);
    expect(used.filter((action) => !/^[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(action))).toEqual([]);
  });

  it('is named by digest where images start from it', () => {
    const bases = [...readRepositoryFile('Dockerfile').matchAll(/^FROM (\S+)/gm)].map(([, image = '']) => image);
    expect(bases.length).toBe(2);
    expect(new Set(bases).size).toBe(1);
    expect(bases[0]).toMatch(/^node:\d+\.\d+\.\d+-[\w-]+@sha256:[0-9a-f]{64}$/);
  });

  it.each(['docker-compose.yml', 'deploy/kubernetes/redis.yaml'])('is named by digest in %s', (path) => {
    const images = [...readRepositoryFile(path).matchAll(/\bimage: (\S+)/g)].map(([, image = '']) => image);
    expect(images.filter((image) => !/^(tiktok-publisher|[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64})$/.test(image))).toEqual(
      [],
    );
    expect(images.length).toBeGreaterThan(0);
  });
});

describe('the public CI', () => {
  it('asks for known vulnerabilities, tries the package that it publishes, and publishes the list of what is inside', () => {
    expect(readRepositoryFile('.github/workflows/ci.yml')).toMatch(/run: npm audit --audit-level/);
    const release = readRepositoryFile('.github/workflows/release.yml');
    const order = ['.ci/run', 'npm run packaging', 'npm publish --provenance', 'dist/sbom.cdx.json'];
    expect(order.map((step) => release.indexOf(step)).filter((place) => place < 0)).toEqual([]);
  });
});
