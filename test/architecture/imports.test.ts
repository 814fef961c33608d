import { describe, expect, it } from 'vitest';
import { ENTRY_FILES, IMPORT_RULES } from './import-rules.ts';
import { packageOf, readRepositoryFile, roomOf, sourceFiles } from './source-files.ts';

const files = sourceFiles('src');
const rooms = Object.keys(IMPORT_RULES);

describe('the direction of imports', () => {
  it('is laid down for every folder of src', () => {
    expect([...new Set(files.map(({ path }) => roomOf(path)))].sort()).toEqual([...rooms].sort());
  });

  it.each(rooms)('%s imports only what its rule allows', (room) => {
    const rule = IMPORT_RULES[room];
    const wrong = files
      .filter(({ path }) => roomOf(path) === room)
      .flatMap(({ path, imports }) => imports.map((imported) => ({ path, ...imported })))
      .filter(({ file, isTypeOnly }) => {
        const target = file === undefined ? room : roomOf(file);
        if (target === room || rule?.uses.includes(target)) return false;
        return !(isTypeOnly && rule?.knows.includes(target));
      })
      .map(({ path, specifier }) => `${path} imports ${specifier}`);
    expect(wrong, rule?.why).toEqual([]);
  });

  it.each(rooms)('%s needs everything that its rule allows', (room) => {
    const rule = IMPORT_RULES[room];
    const used = new Set(
      files
        .filter(({ path }) => roomOf(path) === room)
        .flatMap(({ imports }) => imports)
        .flatMap(({ file }) => (file === undefined ? [] : [roomOf(file)])),
    );
    expect([...(rule?.uses ?? []), ...(rule?.knows ?? [])].filter((target) => !used.has(target))).toEqual([]);
  });

  it.each(Object.entries(ENTRY_FILES))(
    'lets only the public entry of %s open the whole program',
    (room, { uses, files: composing }) => {
      const others = files
        .filter(({ path }) => roomOf(path) === room && !composing.includes(path))
        .flatMap(({ path, imports }) => imports.map((imported) => ({ path, ...imported })))
        .filter(({ file, isTypeOnly }) => file !== undefined && !isTypeOnly && uses.includes(roomOf(file)))
        .map(({ path, specifier }) => `${path} imports ${specifier}`);
      expect(others).toEqual([]);
    },
  );

  it('runs in no circle, types and late imports included', () => {
    // What imports nothing that is left is taken away, again and again: only circles and what leads to them remain.
    let left = files;
    for (let before = Infinity; left.length < before; ) {
      before = left.length;
      const paths = new Set(left.map(({ path }) => path));
      left = left.filter(({ imports }) => imports.some(({ file }) => file !== undefined && paths.has(file)));
    }
    expect(left.map(({ path }) => path)).toEqual([]);
  });

  it('leads into the simulator through its index alone', () => {
    const inner = files
      .filter(({ path }) => roomOf(path) !== 'simulator')
      .flatMap(({ path, imports }) => imports.map(({ file }) => ({ path, file })))
      .filter(({ file }) => file?.startsWith('src/simulator/') === true && file !== 'src/simulator/index.ts');
    expect(inner).toEqual([]);
  });

  it('is told in ARCHITECTURE.md as it is', () => {
    const told = [...readRepositoryFile('ARCHITECTURE.md').matchAll(/^\| `src\/([\w-]+)` \|.*\| ([^|]*) \|$/gm)].map(
      ([, room, imports]) => `${room}: ${imports}`,
    );
    const laidDown = rooms.map((room) => `${room}: ${describeRule(room)}`);
    expect(told.sort()).toEqual(laidDown.sort());
  });
});

describe('the core', () => {
  const core = files.filter(({ path }) => roomOf(path) === 'core');

  it('uses no package but zod and safe-stable-stringify, and of Node only hashing and reading URLs', () => {
    const outside = core
      .flatMap(({ imports }) => imports)
      .filter(({ specifier }) => packageOf(specifier) !== undefined || specifier.startsWith('node:'))
      .map(({ specifier }) => specifier);
    expect([...new Set(outside)].sort()).toEqual(['node:crypto', 'node:url', 'safe-stable-stringify', 'zod']);
  });

  it('reads no clock, rolls no dice, waits for nothing but in `deadline.ts`: those are arguments', () => {
    const impure =
      /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bperformance\b|\bprocess\b|\bset(Timeout|Interval)\b/;
    // The one owner of timers: how long to wait is its argument.
    expect(core.filter(({ code }) => impure.test(code)).map(({ path }) => path)).toEqual(['src/core/deadline.ts']);
  });
});

/** A rule as ARCHITECTURE.md writes it. */
function describeRule(room: string): string {
  const { uses = [], knows = [] } = IMPORT_RULES[room] ?? {};
  if (room === 'app') return 'all but `cli`';
  const parts = [...uses.map((target) => `\`${target}\``), ...knows.map((target) => `types of \`${target}\``)];
  return parts.length === 0 ? 'no other folder' : parts.join(', ');
}
