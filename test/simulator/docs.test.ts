import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { RULES } from '../../src/simulator/conformance-rules.ts';
import { conformanceText, ENDPOINTS, startSimulator, switchesSchema } from '../../src/simulator/index.ts';
import { resolveOptions } from '../../src/simulator/options.ts';
import { send } from './api-calls.ts';
import { start } from './simulators.ts';

const doc = await readFile(new URL('../../docs/simulator.md', import.meta.url), 'utf8');

/** The cells of each table row in the section that begins with this heading. */
function rowsOf(heading: string): string[][] {
  const section = doc.split(/^##+ /m).find((text) => text.startsWith(heading)) ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('|'));
  return rows.slice(2).map((row) =>
    row
      .split('|')
      .map((cell) => cell.trim())
      .slice(1, -1),
  );
}

const code = (cell: string | undefined) => /`([^`]+)`/.exec(cell ?? '')?.[1] ?? '';

describe('docs/conformance.md', () => {
  const page = readFileSync(new URL('../../docs/conformance.md', import.meta.url), 'utf8');

  it('lists exactly the rules there are, with their pages', () => {
    const documented = [...page.matchAll(/^\| `([a-z0-9-]+)` \| (.+) \| (.+) \|$/gm)].map((row) => row.slice(1));
    expect(documented).toEqual(Object.entries(RULES).map(([id, { says, source }]) => [id, says, source[0]]));
  });

  it('has an example of a common mistake, which is told what the page shows', async () => {
    const printed: string[] = [];
    const body = (/```js\n([\s\S]*?)```/.exec(page)?.[1] ?? '').replace(/^import .*$/gm, '');
    const AsyncFunction = Object.getPrototypeOf(async () => undefined).constructor;
    const example = new AsyncFunction('conformanceText', 'startSimulator', 'console', body);
    await example(conformanceText, startSimulator, { log: (text: string) => printed.push(text) });
    expect(`${printed.join('')}\n`).toContain(/```text\n([\s\S]*?)```/.exec(page)?.[1]);
  });
});

describe('docs/simulator.md', () => {
  it('lists exactly the switches there are, with their defaults', () => {
    const documented = rowsOf('Switches').map(([name, value]) => [code(name), code(value)]);
    const actual = Object.entries(switchesSchema.parse({})).map(([name, value]) => [name, String(value)]);
    expect(documented.sort()).toEqual(actual.sort());
  });

  it('lists exactly the options there are', () => {
    const documented = rowsOf('Options').flatMap(([names]) => names?.match(/\w+/g) ?? []);
    expect(documented.sort()).toEqual(Object.keys(resolveOptions({})).sort());
  });

  it('lists exactly the faults there are', async () => {
    const simulator = await start();
    const documented = rowsOf('Faults').map(([act]) => /kind: '(\w+)'/.exec(act ?? '')?.[1]);
    // The schema names what it would have taken.
    const refused = await send(`${simulator.url}/__simulator/faults`, {
      method: 'POST',
      body: JSON.stringify({ endpoint: 'upload', act: { kind: '?' } }),
    });
    const complaint: unknown = JSON.parse(String(refused.json.error));
    const named = JSON.stringify(complaint)
      .match(/"options":\[([^\]]*)\]/)?.[1]
      ?.match(/\w+/g);
    expect(documented.sort()).toEqual(named?.sort());
  });

  it('names every endpoint a fault can be aimed at', () => {
    const section = doc.split(/^## /m).find((text) => text.startsWith('Faults')) ?? '';
    for (const endpoint of ENDPOINTS) expect(section).toContain(`\`${endpoint}\``);
  });

  it('lists exactly the controls there are', async () => {
    const simulator = await start();
    const documented = rowsOf('Stand-alone').map(([control]) => code(control));
    const { json } = await send(`${simulator.url}/__simulator`, { method: 'GET' });
    assert(Array.isArray(json.controls));
    expect(documented.sort()).toEqual(json.controls.sort());
  });

  it('has an example that runs', async () => {
    const example = /```js\n([\s\S]*?)```/.exec(doc)?.[1] ?? '';
    const body = example.replace(/^import .*$/gm, '');
    expect(body).toContain('startSimulator(');
    const AsyncFunction = Object.getPrototypeOf(async () => undefined).constructor;
    await new AsyncFunction('assert', 'startSimulator', body)(assert, startSimulator);
  });
});
