// Bundles our code with the packages that it uses: `scripts/build.mjs`.
import { execFileSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { rolldown } from 'rolldown';
import { minifySync } from 'rolldown/utils';
import { dts } from 'rolldown-plugin-dts';

const root = join(import.meta.dirname, '..');

/** By their names in dist. Programs that others fork lie beside the chunk that forks them. */
const PROGRAMS = {
  'bin/tiktok-publisher': 'cli/main',
  'chunks/simulator-process': 'cli/bench/simulator-process',
};
const LIBRARIES = ['producers/index', 'workers/index', 'tiktok/index', 'simulator/index'];

/** What packages try to load and do without: faster code for some machines, and other databases than Redis. */
const DONE_WITHOUT = ['@valkey/valkey-glide', 'msgpackr-extract', 'pg', 'supports-color'];
const WITHOUT = '\0without:';

/** What of undici is used by us, and what that needs, with their files. */
const UNDICI = {
  Dispatcher: 'dispatcher/dispatcher.js',
  Agent: 'dispatcher/agent.js',
  Pool: 'dispatcher/pool.js',
  EnvHttpProxyAgent: 'dispatcher/env-http-proxy-agent.js',
  buildConnector: 'core/connect.js',
  errors: 'core/errors.js',
  api: 'api/index.js',
};
const PART_OF_UNDICI = '\0part-of-undici';

/** Files that a package reads from its own folder at run time: copied to `dist/files/<package>/`. */
const FILES = {
  '@bull-board/ui': ['package.json', 'dist'],
  '@fastify/swagger-ui': ['static'],
  '@fastify/swagger': ['package.json'],
  'lua-redis-wasm': ['dist/redis_lua.mjs', 'dist/redis_lua.wasm'],
};

/**
 * @param compiled a folder with the declarations of src
 * @param output the folder to write, which becomes dist
 */
export async function bundle(compiled, output) {
  const folders = await bundleCode(output);
  await bundleDeclarations(compiled, output);
  for (const [name, files] of Object.entries(FILES))
    for (const file of files)
      cpSync(join(packageFolder(name), file), join(output, 'files', name, file), { recursive: true });
  const packages = packagesIn([...folders, ...Object.keys(FILES).map(packageFolder)]);
  writeFileSync(join(output, 'THIRD-PARTY-LICENSES.txt'), licencesOf(packages));
  writeFileSync(join(output, 'sbom.cdx.json'), sbomOf(packages));
}

/** @returns the folders of the packages that are inside */
async function bundleCode(output) {
  const entries = [...Object.entries(PROGRAMS), ...LIBRARIES.map((name) => [name, name])];
  const build = await rolldown({
    cwd: root,
    platform: 'node',
    input: Object.fromEntries(entries.map(([name, source]) => [name, `src/${source}.ts`])),
    external: [/^node:/],
    plugins: [withoutOptional(), withPartOfUndici(), withOwnFiles(), withoutWhitespace()],
    // As `includeDependenciesRecursively` needs it: what is in an entry file may be needed by a chunk.
    preserveEntrySignatures: 'allow-extension',
    onLog: refuseWarnings,
  });
  const { output: chunks } = await build.write({
    dir: output,
    // By default, rolldown would write what the plugins made smaller anew, with white space.
    minify: false,
    comments: false,
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name].js',
    codeSplitting: {
      includeDependenciesRecursively: false,
      groups: [
        { test: /node_modules/, debugName: 'package', name: (id) => groupOf(packageOf(id)) },
        // Not beside our code, which packages must not import: circles of chunks do not load.
        { test: (id) => id.startsWith(WITHOUT), name: 'without-optional' },
      ],
    },
  });
  const modules = chunks.flatMap((chunk) => (chunk.type === 'chunk' ? chunk.moduleIds : []));
  return modules.map(packageFolderOf).filter((folder) => folder !== undefined);
}

/** Only the types that an entry shows, with those of other packages inside. */
async function bundleDeclarations(compiled, output) {
  const build = await rolldown({
    cwd: root,
    platform: 'node',
    input: Object.fromEntries(LIBRARIES.map((name) => [name, join(compiled, `${name}.d.ts`)])),
    // Of other packages only the types of Zod are seen from outside.
    external: (id) => packageNamed(id) !== undefined && packageNamed(id) !== 'zod',
    plugins: [dts({ dtsInput: true, tsconfig: false, resolver: 'oxc' })],
    onLog: refuseWarnings,
  });
  const { output: chunks } = await build.write({
    dir: output,
    chunkFileNames: 'types/[name].d.ts',
  });
  for (const { fileName } of chunks.filter(({ moduleIds }) => moduleIds.some((id) => packageOf(id) === 'zod'))) {
    // Zod's comments that quiet TypeScript where it can't follow are lost on the way.
    const path = join(output, fileName);
    writeFileSync(
      path,
      `// @ts-nocheck
${readFileSync(path, 'utf8')}`,
    );
  }
  const own = chunks.map(({ fileName }) => fileName);
  const seen = chunks.flatMap(({ imports }) => imports).filter((name) => !own.includes(name) && packageNamed(name));
  if (seen.length > 0)
    throw new Error(`public types name types of ${[...new Set(seen)].join(', ')}, which nobody installs`);
}

function withoutOptional() {
  return {
    name: 'without-optional',
    resolveId: (id) => (DONE_WITHOUT.includes(id) ? `${WITHOUT}${id}` : undefined),
    load: (id) =>
      id.startsWith(WITHOUT)
        ? `throw new Error('${id.slice(WITHOUT.length)} is not part of tiktok-publisher')`
        : undefined,
  };
}

/**
 * Only what we use of undici. Its entry makes everything, such as `fetch`, cookies and mocks, and so loads Node's own undici
 * as well: a fifth of the start of a command.
 */
function withPartOfUndici() {
  return {
    name: 'part-of-undici',
    resolveId: (id) => (id === 'undici' ? PART_OF_UNDICI : undefined),
    load: (id) => (id === PART_OF_UNDICI ? partOfUndici() : undefined),
  };
}

function partOfUndici() {
  const folder = join(packageFolder('undici'), 'lib');
  const parts = Object.entries(UNDICI).map(
    ([name, file]) => `import ${name} from ${JSON.stringify(join(folder, file))};`,
  );
  const entry = ['Object.assign(Dispatcher.prototype, api);', `export { ${Object.keys(UNDICI).join(', ')} };`];
  return [...parts, ...entry].join('\n');
}

/** Lets packages find their own files where we copied them. */
function withOwnFiles() {
  return {
    name: 'own-files',
    transform(code, id) {
      const name = packageOf(id);
      if (name === '@bull-board/api') {
        return code.replace(/eval\(`require\.resolve\('(@bull-board\/ui\/package\.json)'\)`\)/, (_, path) =>
          pathOfFile(path),
        );
      }
      if (name === 'lua-redis-wasm') {
        return code.replaceAll(
          'import.meta.url',
          `new URL('../files/lua-redis-wasm/dist/index.mjs', import.meta.url).href`,
        );
      }
      if (name === undefined || !/\b__dirname\b/.test(code)) return undefined;
      // Not relative to our node_modules, which may be a link.
      const folder = dirname(id.split(`/node_modules/${name}/`).at(-1));
      return code.replace(/\b__dirname\b/g, pathOfFile(join(name, folder)));
    },
  };
}

/** Halves the packages. Our own code stays as it is, for those who read a stack trace. */
function withoutWhitespace() {
  return {
    name: 'without-whitespace',
    renderChunk(code, { fileName, moduleIds }) {
      if (moduleIds.length === 0 || moduleIds.some((id) => packageOf(id) === undefined)) return undefined;
      const { code: smaller, errors } = minifySync(fileName, code, { compress: false, mangle: false });
      if (errors.length > 0) throw new Error(`${fileName}: ${errors[0].message}`);
      // V8 keeps a file that has other characters in twice the memory, and reads it slower.
      return smaller.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
    },
  };
}

/** An expression for a path below `dist/files`, for code in `dist/chunks`. */
function pathOfFile(path) {
  return `require('node:url').fileURLToPath(new URL('../files/${path}', import.meta.url))`;
}

function refuseWarnings(level, log) {
  if (level === 'warn') throw new Error(log.message);
}

/** The package that a specifier names. */
function packageNamed(specifier) {
  return /^(?!node:|[./])(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0];
}

/** The package that a file belongs to. */
function packageOf(id) {
  return /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(id)?.[1];
}

/** Packages of one family refer to each other, and are loaded together; metrics need the API of OpenTelemetry alone. */
function groupOf(name) {
  const scope = /^@(aws|smithy|opentelemetry(?!\/api$)|fastify|bull-board)/.exec(name)?.[1];
  return scope === undefined ? name.replace(/^@/, '').replace('/', '-') : scope.replace('smithy', 'aws');
}

function packageFolder(name) {
  return join(root, 'node_modules', name);
}

/** The folder of the package that a file belongs to. */
function packageFolderOf(id) {
  return /.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(id)?.[0];
}

/** Each package once, in order; of some, several versions are inside. */
function packagesIn(folders) {
  const found = new Map();
  for (const folder of folders) {
    const { name, version, license, homepage = '' } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    found.set(`${name}@${version}`, { id: `${name}@${version}`, folder, name, version, license, homepage });
  }
  return [...found.values()].sort((one, other) => (one.id < other.id ? -1 : 1));
}

/** The licence texts of packages, as their licences ask for, with the versions that are inside. */
function licencesOf(packages) {
  return packages.map(licenceOf).join(`\n${'-'.repeat(80)}\n`);
}

function licenceOf({ folder, name, version, license, homepage }) {
  const files = readdirSync(folder).filter((file) => /^(licen[cs]e|notice)/i.test(file));
  const texts = files.map((file) => readFileSync(join(folder, file), 'utf8').trim());
  return [`${name} ${version} (${license}) ${homepage}`.trim(), ...texts].join('\n\n');
}

/** What npm says of the lock file, for the packages that are inside: the others only build and test. */
function sbomOf(packages) {
  const args = ['sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'application', '--package-lock-only'];
  const { dependencies, components, ...sbom } = JSON.parse(
    execFileSync('npm', args, {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 50_000_000,
      shell: process.platform === 'win32',
    }),
  );
  const inside = new Set(packages.map(({ id }) => id));
  const found = components.filter((component) => inside.has(component['bom-ref']));
  if (found.length !== inside.size) throw new Error('package-lock.json does not name all packages that are bundled');
  const own = sbom.metadata.component;
  // npm takes the name of the folder, and counts what we bundle as tools of development.
  sbom.metadata.component = { ...own, name: 'tiktok-publisher' };
  for (const component of found) Object.assign(component, { scope: 'required', properties: [] });
  const isInside = (ref) => inside.has(ref) || ref === own['bom-ref'];
  const edges = dependencies
    .filter(({ ref }) => isInside(ref))
    .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter(isInside) }));
  return `${JSON.stringify({ ...sbom, components: found, dependencies: edges })}\n`;
}
