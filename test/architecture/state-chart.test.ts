import { describe, expect, it } from 'vitest';
import { ALL_PUBLISH_STATES, PUBLISH_STATES } from '../../src/core/publish-state.ts';
import { readRepositoryFile } from './source-files.ts';

const architecture = readRepositoryFile('ARCHITECTURE.md');

const charts = [...architecture.matchAll(/```mermaid\nstateDiagram-v2\n([\s\S]*?)```/g)].map(([, chart = '']) => chart);
const arrows = charts
  .flatMap((chart) => [...chart.matchAll(/^\s*(\[\*\]|\w+) --> (\[\*\]|\w+)(?::.*)?$/gm)])
  .map(([, from = '', to = '']) => ({ from, to }));

describe('the state diagrams of ARCHITECTURE.md', () => {
  it('consist of arrows only, each of them once', () => {
    const lines = charts.flatMap((chart) => chart.split('\n')).filter((line) => line.trim() !== '');
    expect(arrows).toHaveLength(lines.length);
    expect(new Set(arrows.map(({ from, to }) => `${from} ${to}`)).size).toBe(arrows.length);
  });

  it('show every step the machine allows and no other', () => {
    const shown = arrows
      .filter(({ from, to }) => from !== '[*]' && to !== '[*]')
      .map(({ from, to }) => `${from} ${to}`);
    const allowed = ALL_PUBLISH_STATES.flatMap((from) => PUBLISH_STATES[from].next.map((to) => `${from} ${to}`));
    expect(shown.sort()).toEqual(allowed.sort());
  });

  it('end in the terminal states and no other', () => {
    const ends = arrows.filter(({ to }) => to === '[*]').map(({ from }) => from);
    expect(ends.sort()).toEqual(ALL_PUBLISH_STATES.filter((state) => PUBLISH_STATES[state].terminal).sort());
  });
});

describe('the states in ARCHITECTURE.md', () => {
  it('have one line each, with their meaning as the code has it', () => {
    const section = architecture.slice(architecture.indexOf('| state | meaning |'));
    const table = section.slice(0, section.indexOf('\n\n'));
    const told = [...table.matchAll(/^\| `(\w+)` \| ([^|]+) \| [^|]+ \|$/gm)].map(([, state, meaning]) => [
      state,
      meaning,
    ]);
    expect(told).toEqual(ALL_PUBLISH_STATES.map((state) => [state, PUBLISH_STATES[state].meaning]));
  });
});
